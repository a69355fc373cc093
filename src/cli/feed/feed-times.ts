/** Where the time of a feed went, here and as the server said with each batch. */
export class FeedTimes {
  readonly #ownMs = new Map<string, number>();
  readonly #serverMs = new Map<string, number>();

  add(what: string, milliseconds: number): void {
    this.#ownMs.set(what, (this.#ownMs.get(what) ?? 0) + milliseconds);
  }

  /** Members such as `icecore.seconds.decoding` of a batch's metadata. */
  addServer(metadata: ReadonlyMap<string, string>): void {
    for (const [name, value] of metadata) {
      const seconds = Number(value);
      if (!name.startsWith(serverPrefix) || !Number.isFinite(seconds)) continue;
      const what = name.slice(serverPrefix.length);
      this.#serverMs.set(what, (this.#serverMs.get(what) ?? 0) + seconds * 1000);
    }
  }

  /** `waiting 80 %, writing 15 %; the server: decoding 40 %, gathering 20 %`, of the time given; null where nothing was measured. */
  text(elapsedMs: number): string | null {
    const shares = (times: ReadonlyMap<string, number>): string =>
      [...times].map(([what, ms]) => `${what} ${Math.round((ms / Math.max(elapsedMs, 1)) * 100)} %`).join(', ');
    if (this.#ownMs.size === 0) return null;
    const server = this.#serverMs.size === 0 ? '' : `; the server: ${shares(this.#serverMs)}`;
    return `${shares(this.#ownMs)}${server}`;
  }
}

const serverPrefix = 'icecore.seconds.';
