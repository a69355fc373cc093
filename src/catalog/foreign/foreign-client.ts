import type { Clock } from '../../clock.ts';
import { IcecoreError } from '../../errors.ts';
import type { TableIdentifier } from '../../iceberg/identifier.ts';
import { asArrayOf, asObject, asRecordOf, asString, type JsonObject, optionalMember } from '../../iceberg/json-member.ts';
import { foreignPageSize } from '../../limits.ts';
import { catalogClosed } from '../refusals.ts';
import type { ForeignAddress } from './foreign-address.ts';
import { ForeignCredential } from './foreign-credential.ts';
import { type ForeignAnswer, sendForeign } from './foreign-request.ts';

/** How the parts of a namespace are put together where the catalog names nothing else (REST specification, `namespace-separator`). */
const unitSeparator = '\u001f';

/** Speaks the Iceberg REST protocol to another catalog: its configuration, addresses, pages and refusals. */
export class ForeignClient {
  readonly #credential: ForeignCredential;
  readonly #root: string;
  readonly #separator: string;
  readonly #endpoints: ReadonlySet<string> | null;
  readonly #abort = new AbortController();

  private constructor(credential: ForeignCredential, root: string, separator: string, endpoints: readonly string[] | undefined) {
    this.#credential = credential;
    this.#root = root;
    this.#separator = separator;
    this.#endpoints = endpoints === undefined ? null : new Set(endpoints);
  }

  /** Asks for the catalog's configuration. Throws FAILED_PRECONDITION where it has none for us, OVERLOADED where it cannot be reached. */
  static async connect(address: ForeignAddress, clock: Clock): Promise<ForeignClient> {
    const credential = new ForeignCredential(address, clock);
    const query = address.warehouse === null ? '' : `?warehouse=${encodeURIComponent(address.warehouse)}`;
    const answer = await ask(credential, `${address.base}/v1/config${query}`);
    if (answer.status !== 200) throw refusal(answer, 'its configuration');
    const where = "the catalog's configuration";
    const body = asObject(answer.body, where);
    const defaults = optionalMember(body, 'defaults', asRecordOf(asString), where) ?? {};
    const settings = { ...defaults, ...optionalMember(body, 'overrides', asRecordOf(asString), where) };
    const base = settings.uri?.replace(/\/+$/, '') ?? address.base;
    const prefix = settings.prefix === undefined || settings.prefix === '' ? '' : `/${settings.prefix}`;
    const separator = settings['namespace-separator'];
    return new ForeignClient(
      credential,
      `${base}/v1${prefix}`,
      separator === undefined ? unitSeparator : decodeURIComponent(separator),
      optionalMember(body, 'endpoints', asArrayOf(asString), where),
    );
  }

  /** Whether the catalog says that it serves this; `otherwise` where it says nothing, as older ones do. */
  serves(endpoint: string, otherwise: boolean): boolean {
    return this.#endpoints === null ? otherwise : this.#endpoints.has(endpoint);
  }

  /** A namespace as one text, the way the catalog wants it. */
  namespaceText(parts: readonly string[]): string {
    return parts.join(this.#separator);
  }

  namespacePath(parts: readonly string[]): string {
    return `/namespaces/${encodeURIComponent(this.namespaceText(parts))}`;
  }

  objectPath(kind: 'tables' | 'views', { namespace, name }: TableIdentifier): string {
    return `${this.namespacePath(namespace)}/${kind}/${encodeURIComponent(name)}`;
  }

  /** What the path answers with; null where it does not exist. Throws FAILED_PRECONDITION where it is refused. */
  async find(path: string, query: Readonly<Record<string, string>> = {}): Promise<JsonObject | null> {
    const text = new URLSearchParams(query).toString();
    const answer = await ask(this.#credential, `${this.#root}${path}${text === '' ? '' : `?${text}`}`, this.#abort.signal);
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw refusal(answer, path);
    return asObject(answer.body, path);
  }

  /** The items of all pages of a list; none where it does not exist. */
  async list(path: string, member: string, query: Readonly<Record<string, string>> = {}): Promise<readonly unknown[]> {
    const items: unknown[] = [];
    const seen = new Set<string>();
    for (let token = ''; ; ) {
      const page = await this.find(path, { ...query, pageToken: token, pageSize: String(foreignPageSize) });
      if (page === null) return items;
      items.push(
        ...(optionalMember(
          page,
          member,
          asArrayOf((item) => item),
          path,
        ) ?? []),
      );
      const next = optionalMember(page, 'next-page-token', asString, path) ?? '';
      if (next === '') return items;
      if (seen.has(next))
        throw new IcecoreError('FAILED_PRECONDITION', `The catalog gives the same page of ${path} again and again.`);
      seen.add(next);
      token = next;
    }
  }

  close(): void {
    this.#abort.abort(catalogClosed());
  }
}

/** A token that ended early is replaced once. */
async function ask(credential: ForeignCredential, url: string, signal?: AbortSignal): Promise<ForeignAnswer> {
  const send = async () =>
    await sendForeign({
      url,
      headers: { accept: 'application/json', ...(await credential.headers()) },
      ...(signal === undefined ? {} : { signal }),
    });
  const answer = await send();
  return answer.status === 401 && credential.renew() ? await send() : answer;
}

function refusal({ status, body }: ForeignAnswer, what: string): IcecoreError {
  const told = messageOf(body);
  const reason =
    status === 401 || status === 403
      ? "Icecore's credential may not read it; check the one in the catalog's address"
      : `status ${status}${told === null ? '' : `, "${told}"`}`;
  return new IcecoreError('FAILED_PRECONDITION', `The foreign catalog refuses ${what}: ${reason}.`, { context: { status } });
}

function messageOf(body: unknown): string | null {
  const error = typeof body === 'object' && body !== null && 'error' in body ? body.error : null;
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : null;
  return typeof message === 'string' ? message.slice(0, 300) : null;
}
