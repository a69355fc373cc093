import type { Api } from '../api.ts';
import type { Console } from '../console.ts';
import { counted, countText, elapsedText } from '../count-text.ts';
import { printable } from '../printable.ts';
import { type ArrowMessage, messageHead, metadataOf } from './arrow-message.ts';
import { cursorPosition } from './feed-cursor.ts';
import { feedMessages } from './feed-messages.ts';
import { FeedProgress } from './feed-progress.ts';
import { FeedTimes } from './feed-times.ts';
import { fileError, PartialFile, type PartialFileOptions } from './partial-file.ts';
import { ProgressLine } from './progress-line.ts';

/** One run of `icecore feed`: from the server into the file, telling how far it is. */
export class FeedDownload {
  readonly #api: Api;
  readonly #console: Console;
  readonly #times = new FeedTimes();
  #cursor: string | null = null;
  #snapshot: string | null = null;

  constructor(api: Api, console: Console) {
    this.#api = api;
    this.#console = console;
  }

  /** Throws Refusal and Unreachable as `feedMessages` does, FAILED_PRECONDITION where the file cannot be written. */
  async run(name: string, options: PartialFileOptions): Promise<void> {
    const partial = await PartialFile.open(name, options);
    const progress = new FeedProgress(partial.soFar);
    const line = new ProgressLine(progress, this.#console);
    this.#cursor = partial.soFar.cursor;
    const startMs = performance.now();
    try {
      if (!partial.soFar.isComplete) await this.#receive(partial, progress, line);
      line.end();
      const bytes = await partial.finish();
      this.#conclude(name, bytes, progress, performance.now() - startMs);
    } catch (error) {
      line.end();
      const isKept = progress.rows > 0;
      await partial.leave({ isKept });
      if (isKept)
        this.#console.err(`icecore: ${counted(progress.rows, 'row')} are in ${printable(partial.path)}: --resume goes on.\n`);
      throw fileError(error);
    }
  }

  async #receive(partial: PartialFile, progress: FeedProgress, line: ProgressLine): Promise<void> {
    const { soFar, query, file } = partial;
    const onBreak = (error: Error, pauseMs: number): void =>
      line.say(`${error.message} Trying again in ${elapsedText(pauseMs)}.`);
    if (soFar.schema !== null) this.#begin(soFar.schema, partial, progress);
    let waitingSinceMs = performance.now();
    for await (const message of feedMessages({ api: this.#api, query, ...soFar, onBreak })) {
      const cameMs = performance.now();
      this.#times.add('waiting', cameMs - waitingSinceMs);
      await file.write(message.message);
      waitingSinceMs = performance.now();
      this.#times.add('writing', waitingSinceMs - cameMs);
      if (message.kind === 'SCHEMA') this.#begin(message.message, partial, progress);
      if (message.kind !== 'BATCH') continue;
      this.#cursor = message.metadata.get('icecore.cursor') ?? this.#cursor;
      this.#times.addServer(message.metadata);
      progress.add(Number(message.table.long(0)), message.message.head.byteLength + message.bodyBytes, waitingSinceMs);
      line.show();
    }
  }

  /** Of how many rows there will be, the schema says how many the epoch has over all ranks, and the cursor how many lie behind. */
  #begin(schema: ArrowMessage, { query }: PartialFile, progress: FeedProgress): void {
    const said = metadataOf(messageHead(schema.head).table, 2);
    this.#snapshot = said.get('icecore.snapshot-id') ?? null;
    const total = Number(said.get('icecore.rows-total'));
    const worldSize = Number(query.worldSize ?? 1);
    const start = cursorPosition(typeof query.cursor === 'string' ? query.cursor : null);
    if (Number.isSafeInteger(total) && start !== null) progress.expect(Math.round((total - start) / worldSize));
  }

  #conclude(name: string, bytes: number, progress: FeedProgress, elapsedMs: number): void {
    const { out } = this.#console;
    const speed = progress.rowsHere === 0 ? '' : `, ${countText(Math.round(progress.rowsHere / (elapsedMs / 1000)))} rows/s`;
    out(
      `${counted(progress.rows, 'row')}, ${countText(bytes)} bytes in ${printable(name)} after ${elapsedText(elapsedMs)}${speed}\n`,
    );
    if (this.#snapshot !== null && this.#snapshot !== '') out(`read at snapshot ${printable(this.#snapshot)}\n`);
    const where = this.#times.text(elapsedMs);
    if (where !== null) out(`${where}\n`);
  }
}
