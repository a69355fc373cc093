import { countText } from '../count-text.ts';

/** How far a feed has come: rows and bytes since it was begun here, and where the time went. */
export class FeedProgress {
  /** Rows of this rank, with those of earlier tries; null until the server has said so. */
  #expected: number | null = null;
  #rows: number;
  #rowsHere = 0;
  #bytesHere = 0;
  /** Of the last seconds, for the speed: when, and how many rows there were by then. */
  readonly #samples: { readonly atMs: number; readonly rows: number }[] = [];

  constructor({ rows }: { readonly rows: number }) {
    this.#rows = rows;
  }

  get rows(): number {
    return this.#rows;
  }

  get rowsHere(): number {
    return this.#rowsHere;
  }

  get bytesHere(): number {
    return this.#bytesHere;
  }

  expect(rows: number): void {
    this.#expected = rows;
  }

  add(rows: number, bytes: number, atMs: number): void {
    this.#rows += rows;
    this.#rowsHere += rows;
    this.#bytesHere += bytes;
    this.#samples.push({ atMs, rows: this.#rowsHere });
    while ((this.#samples[0]?.atMs ?? atMs) < atMs - windowMs) this.#samples.shift();
  }

  /** From 0 to 1; null where it is not known what there will be. */
  get share(): number | null {
    if (this.#expected === null) return null;
    return this.#expected === 0 ? 1 : Math.min(1, this.#rows / this.#expected);
  }

  /** `9,000,000 of 20,000,000 rows`, `1,200,000 rows/s`, `0:09 left`: as much of it as is known. */
  parts(): readonly string[] {
    const rows = this.#expected === null ? countText(this.#rows) : `${countText(this.#rows)} of ${countText(this.#expected)}`;
    const speed = this.#rowsPerSecond();
    if (speed === null) return [`${rows} rows`];
    const left = this.#expected === null ? [] : [`${durationText((this.#expected - this.#rows) / speed)} left`];
    return [`${rows} rows`, `${countText(Math.round(speed))} rows/s`, ...left];
  }

  /** One line of a terminal of so many columns, with as long a bar as there is room for. */
  bar(width: number): string {
    const share = this.share ?? 0;
    const percent = `${String(Math.floor(share * 100)).padStart(3)} %`;
    const parts = [...this.parts()];
    const taken = () => parts.reduce((sum, part) => sum + part.length + 2, percent.length + 2);
    while (parts.length > 1 && taken() + barMin > width) parts.pop();
    const length = Math.max(0, Math.min(barMax, width - taken() - 1));
    const full = Math.round(share * length);
    return [percent, `${'█'.repeat(full)}${'░'.repeat(length - full)}`, ...parts].join('  ').slice(0, Math.max(0, width - 1));
  }

  /** For a file or a pipe. */
  line(): string {
    const percent = this.share === null ? [] : [`${Math.floor(this.share * 100)} %`];
    return [...percent, ...this.parts()].join(', ');
  }

  #rowsPerSecond(): number | null {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return null;
    const speed = ((last.rows - first.rows) / (last.atMs - first.atMs)) * 1000;
    return speed > 0 ? speed : null;
  }
}

const [barMin, barMax] = [10, 40];
/** Of the speed: long enough to be steady, short enough to follow. */
const windowMs = 15_000;

/** `0:09`, `12:34`, `1:02:03`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, '0')];
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`;
}
