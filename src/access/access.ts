import { AsyncLocalStorage } from 'node:async_hooks';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { Caller } from './caller.ts';
import type { Grant } from './grant.ts';
import {
  everything,
  mayRead,
  mayReadAll,
  mayReadNamespace,
  mayWrite,
  mayWriteAll,
  mayWriteNamespace,
  nothing,
  type Permissions,
  permissionsOf,
} from './permissions.ts';

/**
 * For whom the code at hand works, and so which tables it may see (semantics, section 9). One per server. Whatever looks a table up asks
 * here, so that no way of asking is forgotten. Where callers are told apart, code that works for nobody in particular sees nothing:
 * what the server does by itself says so with `asServer`.
 */
export class Access {
  readonly #grants: readonly Grant[] | null;
  readonly #scope = new AsyncLocalStorage<Permissions>();

  private constructor(grants: readonly Grant[] | null) {
    this.#grants = grants;
  }

  /** Of a server that does not tell callers apart: all may do all. */
  static unrestricted(): Access {
    return new Access(null);
  }

  /** Of a server that knows its callers by keys: default deny. */
  static by(grants: readonly Grant[]): Access {
    return new Access(grants);
  }

  get inForce(): boolean {
    return this.#grants !== null;
  }

  /** Runs `work`, and all that it awaits, for a caller. Streams are to be pulled in it too: `streamAsCaller`. */
  asCaller<T>(caller: Caller, work: () => T): T {
    if (this.#grants === null) return work();
    return this.#scope.run(permissionsOf(this.#grants, caller), work);
  }

  /** Runs `work`, and all that it awaits, for the server itself: what no caller gets to see, or was allowed on other grounds. */
  asServer<T>(work: () => T): T {
    return this.#grants === null ? work() : this.#scope.run(everything, work);
  }

  /** Runs `work` for somebody who is not known yet. */
  asNobody<T>(work: () => T): T {
    return this.#grants === null ? work() : this.#scope.run(nothing, work);
  }

  /** A stream each step of which works for the caller, whoever pulls it: the code behind `next` runs where `next` is called. */
  streamAsCaller<T>(caller: Caller, stream: AsyncIterable<T>): AsyncIterableIterator<T> {
    const steps = this.asCaller(caller, () => stream[Symbol.asyncIterator]());
    return {
      next: () => this.asCaller(caller, () => steps.next()),
      return: async (value) => (await this.asCaller(caller, () => steps.return?.(value))) ?? { done: true, value },
      throw: async (error) => {
        if (steps.throw === undefined) throw error;
        return await this.asCaller(caller, () => steps.throw?.(error) ?? Promise.reject(error));
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /** Of whom the code at hand works for. */
  get permissions(): Permissions {
    if (this.#grants === null) return everything;
    return this.#scope.getStore() ?? nothing;
  }

  mayRead(identifier: TableIdentifier): boolean {
    return mayRead(this.permissions, identifier);
  }

  mayWrite(identifier: TableIdentifier): boolean {
    return mayWrite(this.permissions, identifier);
  }

  mayReadNamespace(parts: readonly string[]): boolean {
    return mayReadNamespace(this.permissions, parts);
  }

  mayWriteNamespace(parts: readonly string[]): boolean {
    return mayWriteNamespace(this.permissions, parts);
  }

  mayReadAll(): boolean {
    return mayReadAll(this.permissions);
  }

  mayWriteAll(): boolean {
    return mayWriteAll(this.permissions);
  }
}
