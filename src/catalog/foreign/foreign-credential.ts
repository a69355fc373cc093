import { type Clock, nowMs } from '../../clock.ts';
import { IcecoreError } from '../../errors.ts';
import { asInt, asObject, asString, member, optionalMember } from '../../iceberg/json-member.ts';
import type { ForeignAddress } from './foreign-address.ts';
import { sendForeign } from './foreign-request.ts';

/** What a token is good for where its issuer does not say. */
const lifetimeSecondsDefault = 3600;

/** The token that is sent with every request; one from OAuth2 is asked for when it is needed, and again before it ends. */
export class ForeignCredential {
  readonly #address: ForeignAddress;
  readonly #clock: Clock;
  #token: { readonly text: string; readonly renewAtMs: number } | null = null;
  #asking: Promise<string> | null = null;

  constructor(address: ForeignAddress, clock: Clock) {
    this.#address = address;
    this.#clock = clock;
  }

  /** The `authorization` header, or none. Throws FAILED_PRECONDITION where no token is given for the credential. */
  async headers(): Promise<Readonly<Record<string, string>>> {
    const { identity } = this.#address;
    if (identity.kind === 'none') return {};
    if (identity.kind === 'token') return { authorization: `Bearer ${identity.token}` };
    if (this.#token !== null && nowMs(this.#clock) < this.#token.renewAtMs) {
      return { authorization: `Bearer ${this.#token.text}` };
    }
    this.#asking ??= this.#ask(identity).finally(() => {
      this.#asking = null;
    });
    return { authorization: `Bearer ${await this.#asking}` };
  }

  /** Forgets a token that was refused. False where there is no way to another one. */
  renew(): boolean {
    this.#token = null;
    return this.#address.identity.kind === 'client';
  }

  async #ask({ id, secret }: { readonly id: string; readonly secret: string }): Promise<string> {
    const { base, scope, tokenUrl } = this.#address;
    const form = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret, scope });
    const answer = await sendForeign({
      url: tokenUrl ?? `${base}/v1/oauth/tokens`,
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: form.toString(),
    });
    if (answer.status !== 200) {
      throw new IcecoreError(
        'FAILED_PRECONDITION',
        `The catalog gives no token for Icecore's credential (status ${answer.status}): check the name and secret in its address.`,
        { context: { status: answer.status } },
      );
    }
    const body = asObject(answer.body, 'the token');
    const text = member(body, 'access_token', asString, 'the token');
    const seconds = optionalMember(body, 'expires_in', asInt, 'the token') ?? lifetimeSecondsDefault;
    // Clocks differ, and requests take their time.
    this.#token = { text, renewAtMs: nowMs(this.#clock) + seconds * 800 };
    return text;
  }
}
