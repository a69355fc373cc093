/** Where the time of a feed went, here and on the server as its batches say it. */
export class FeedTimes {
  readonly #ownMs = new Map<string, number>();
  /** The server counts from the beginning of each connection. */
  readonly #serverMs = new Map<string, { readonly before: number; readonly now: number }>();

  add(what: string, milliseconds: number): void {
    this.#ownMs.set(what, (this.#ownMs.get(what) ?? 0) + milliseconds);
  }

  /** Members such as `icecore.seconds-gathering` of a batch's metadata (docs/feed.md). */
  addServer(metadata: ReadonlyMap<string, string>): void {
    for (const [name, value] of metadata) {
      const milliseconds = Number(value) * 1000;
      if (!name.startsWith(serverPrefix) || !Number.isFinite(milliseconds)) continue;
      const what = name.slice(serverPrefix.length);
      const { before, now } = this.#serverMs.get(what) ?? { before: 0, now: 0 };
      this.#serverMs.set(what, { before: milliseconds < now ? before + now : before, now: milliseconds });
    }
  }

  /** `here: waiting 80 %, writing 15 %; server: waiting 40 %, gathering 20 %`, of the time given; null where nothing came. */
  text(elapsedMs: number): string | null {
    if (this.#ownMs.size === 0) return null;
    const share = (what: string, ms: number): string => `${what} ${Math.round((ms / Math.max(elapsedMs, 1)) * 100)} %`;
    const own = [...this.#ownMs].map(([what, ms]) => share(what, ms));
    const server = [...this.#serverMs].map(([what, { before, now }]) => share(what, before + now));
    return `here: ${own.join(', ')}${server.length === 0 ? '' : `; server: ${server.join(', ')}`}`;
  }
}

const serverPrefix = 'icecore.seconds-';
