import type { FileScanTask } from '../../iceberg/scan-plan.ts';
import type { FeedFile, FeedGroup } from './feed-groups.ts';
import type { FileFooter } from './feed-groups-footer.ts';
import type { FileMatches } from './feed-matches.ts';

/** The groups of a snapshot's files, numbered through, 12 bytes each beside what is held of a file. */
export class GroupTable {
  readonly files: readonly FeedFile[];
  readonly footers: readonly FileFooter[];
  /** Of each group. */
  readonly matchingRows: Uint32Array;
  readonly #fileOf: Uint32Array;
  readonly #rowCounts: Uint32Array;
  #matchingFiles: Uint32Array | null = null;

  /** `matches` are of the files not all of whose rows match. */
  constructor(
    tasks: readonly FileScanTask[],
    footers: ReadonlyMap<string, FileFooter>,
    matches: ReadonlyMap<string, FileMatches>,
  ) {
    const none: FileFooter = { rowCounts: [], shape: null };
    this.footers = tasks.map(({ file }) => footers.get(file.filePath) ?? none);
    const count = this.footers.reduce((sum, { rowCounts }) => sum + rowCounts.length, 0);
    this.matchingRows = new Uint32Array(count);
    this.#fileOf = new Uint32Array(count);
    this.#rowCounts = new Uint32Array(count);
    let first = 0;
    this.files = tasks.map((task, index) => {
      const { rowCounts } = this.footers[index] ?? none;
      this.#fileOf.fill(index, first, first + rowCounts.length);
      this.#rowCounts.set(rowCounts, first);
      this.matchingRows.set(matches.get(task.file.filePath)?.counts ?? rowCounts, first);
      const file = { task, first, count: rowCounts.length };
      first += rowCounts.length;
      return file;
    });
  }

  /** The places in `files` of those with a matching row. */
  get matchingFiles(): Uint32Array {
    this.#matchingFiles ??= Uint32Array.from(this.files.keys()).filter((index) => {
      const { first, count } = this.files[index] as FeedFile;
      return this.matchingRows.subarray(first, first + count).some((rows) => rows > 0);
    });
    return this.#matchingFiles;
  }

  get count(): number {
    return this.matchingRows.length;
  }

  /** About what it holds in memory. */
  get bytes(): number {
    const texts = this.files.reduce((sum, { task }) => sum + 2 * task.file.filePath.length, 0);
    return 800 * this.files.length + texts + 12 * this.count;
  }

  /** The place of its file. Throws RangeError where there is no such group. */
  fileOf(place: number): number {
    const file = this.#fileOf[place];
    if (file === undefined) throw new RangeError(`There is no group ${place} among ${this.count}.`);
    return file;
  }

  group(place: number): FeedGroup {
    const file = this.files[this.fileOf(place)] as FeedFile;
    let firstRow = 0;
    for (let before = file.first; before < place; before++) firstRow += this.#rowCounts[before] as number;
    return {
      place,
      location: file.task.file.filePath,
      fileSizeBytes: Number(file.task.file.fileSizeInBytes),
      ordinal: place - file.first,
      firstRow,
      rowCount: this.#rowCounts[place] as number,
      matchingRows: this.matchingRows[place] as number,
    };
  }
}
