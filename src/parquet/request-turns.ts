import { parquetUnderWayBytesMax, parquetUnderWayMax } from '../limits.ts';

interface Requester {
  /** False where there is no room for what it would request next: nor is there for those behind it, however little they want. */
  requestMore(): boolean;
}

/**
 * The turns in which several readers request their bytes: who came first goes first, so that its bytes are there first, and as much is
 * under way together as keeps a line busy. If all requested at once, they would share the line, and all would be through at its end only.
 */
export class RequestTurns {
  /** Those with something to request, in the order in which they came. */
  readonly #waiting = new Set<Requester>();
  #bytes = 0;
  #requests = 0;

  /** Whether so many bytes more may be requested. */
  isRoom(bytes: number): boolean {
    return this.#bytes === 0 || (this.#requests < parquetUnderWayMax && this.#bytes + bytes <= parquetUnderWayBytesMax);
  }

  join(requester: Requester): void {
    this.#waiting.add(requester);
    this.pass();
  }

  leave(requester: Requester): void {
    this.#waiting.delete(requester);
  }

  /** Has all request what they may, in turn. */
  pass(): void {
    for (const requester of this.#waiting) if (!requester.requestMore()) return;
  }

  began(bytes: number): void {
    this.#bytes += bytes;
    this.#requests++;
  }

  /** Whatever came of it. */
  ended(bytes: number): void {
    this.#bytes -= bytes;
    this.#requests--;
    this.pass();
  }
}
