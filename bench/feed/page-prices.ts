import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { median } from '../side-by-side.ts';

const mebibyte = 1024 * 1024;
const writtenMiB = 256;

/**
 * What writing a file costs at the moment, in CPU. A virtual machine that gives free memory back to its host pays ten times as much for a
 * page that it has to ask for again, so a first epoch, which writes as much as the table is large, is charged for what ran before it.
 */
export class PagePrices {
  readonly #msPerMiB: number[] = [];
  readonly #bytesWritten: number[] = [];

  /** Of a file that is written to the directory, on pages that are new to it, and removed. It gives the next writer some that are paid. */
  measure(directory: string): void {
    const path = join(directory, 'page-price');
    const piece = Buffer.alloc(mebibyte, 1);
    const file = openSync(path, 'w');
    const before = process.cpuUsage();
    try {
      for (let written = 0; written < writtenMiB; written++) writeSync(file, piece);
      const { user, system } = process.cpuUsage(before);
      this.#msPerMiB.push((user + system) / 1000 / writtenMiB);
    } finally {
      closeSync(file);
      rmSync(path);
    }
  }

  /** An epoch behind the last `measure` left these block files. */
  async wrote(cache: string): Promise<void> {
    const files = await readdir(cache, { recursive: true }).catch(() => []);
    if (files.length === 0) return;
    const bytes = await Promise.all(files.map(async (file) => (await stat(join(cache, file))).size));
    this.#bytesWritten.push(bytes.reduce((sum, each) => sum + each, 0));
  }

  /** `rows` are those of an epoch. Null where nothing was measured. */
  note(rows: number): string | null {
    if (this.#msPerMiB.length === 0 || this.#bytesWritten.length === 0) return null;
    const [price, bytes] = [median(this.#msPerMiB), median(this.#bytesWritten)];
    const seconds = (each: number): string => ((each * bytes) / mebibyte / 1000 / (rows / 1e6)).toFixed(3);
    const [least, most] = [Math.min(...this.#msPerMiB), Math.max(...this.#msPerMiB)];
    return (
      `Writing a file cost ${price.toFixed(2)} ms of CPU a MiB right before first epochs (${least.toFixed(2)} to ${most.toFixed(2)}; 0.2 where the machine has its memory). ` +
      `At that, writing the ${Math.round(bytes / mebibyte)} MiB of block files of one is ${seconds(price)} s a million rows of its server's ` +
      `system time (${seconds(least)} to ${seconds(most)}); no later epoch and no other reader writes any.`
    );
  }
}
