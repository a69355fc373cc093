import type { RecordBatch } from 'apache-arrow';
import { Api, ApiError } from '../../demo/api.ts';
import type { MortalServer } from './mortal-server.ts';

type Variables = Readonly<Record<string, unknown>>;

/** A mutation that was answered. */
export interface Acknowledged {
  readonly operation: string;
  readonly query: string;
  readonly variables: { readonly input: Readonly<Record<string, unknown>> };
  readonly answer: unknown;
}

/** What one caller sent, told to whoever checks it. */
export interface Journal {
  sent(call: Pick<Acknowledged, 'operation' | 'variables'>): void;
  /** `api` is the same caller's, without repetition: what it asks is no call of the demo. */
  acknowledged(api: Api, call: Acknowledged): void;
}

/** The API of a server that may be killed at any moment: a call that broke is repeated as it was once the server is up again. */
export class PersistentApi extends Api {
  readonly #server: MortalServer;
  readonly #journal: Journal;
  readonly #once: Api;

  constructor(server: MortalServer, key: string, journal: Journal) {
    super(server.url, key);
    this.#server = server;
    this.#journal = journal;
    this.#once = new Api(server.url, key);
  }

  override async ask<Data>(query: string, variables: Variables = {}): Promise<Data> {
    const operation = /^mutation [^{]*\{ (\w+)/.exec(query)?.[1];
    const mutation = operation === undefined ? null : { operation, query, variables: variables as Acknowledged['variables'] };
    for (;;) {
      await this.#server.standing();
      const deaths = this.#server.deaths.length;
      if (mutation !== null) {
        this.#server.called(mutation.operation);
        this.#journal.sent(mutation);
      }
      try {
        const answer = await super.ask<Data>(query, variables);
        if (mutation !== null) this.#journal.acknowledged(this.#once, { ...mutation, answer });
        return answer;
      } catch (error) {
        if (error instanceof ApiError) throw error;
        await this.#server.upAgain(deaths, error);
      }
    }
  }

  /** A feed that broke goes on after the last batch that came whole. */
  override async *batches({ input }: { readonly input: Variables }): AsyncGenerator<RecordBatch> {
    let cursor: string | undefined;
    for (;;) {
      await this.#server.standing();
      const deaths = this.#server.deaths.length;
      this.#server.called('trainingBatches');
      try {
        for await (const batch of super.batches({ input: cursor === undefined ? input : { ...input, cursor } })) {
          cursor = batch.metadata.get('icecore.cursor');
          const last = batch.metadata.get('icecore.last') === 'true';
          yield batch;
          if (last) return;
        }
        return;
      } catch (error) {
        await this.#server.upAgain(deaths, error);
      }
    }
  }
}
