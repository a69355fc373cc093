import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const readmeFile = join(import.meta.dirname, '../../python/README.md');

/** The examples of python/README.md in Python, in their order; later ones may use names of earlier ones. */
export function readmeExamples(): readonly string[] {
  return [...readFileSync(readmeFile, 'utf8').matchAll(/^```python\n(.*?)^```/gms)].map(([, code = '']) => code);
}

/** Whether an example is one of an engine, each of which has an environment of its own. */
export function isOf(engine: 'torch' | 'ray' | 'spark', example: string): boolean {
  return new RegExp(`^(from|import) (py)?(icecore\\.)?${engine}`, 'm').test(example);
}

/** Whether an example needs nothing but the package. */
export function isPlain(example: string): boolean {
  return !(['torch', 'ray', 'spark'] as const).some((engine) => isOf(engine, example));
}

/** A statement that makes the rows that the examples read. */
export const readmeRows = `SELECT (range % 3000)::DOUBLE AS distance, random() AS late_share, range % 4 = 0 AS late FROM range(20000)`;

export const readmeTable = {
  name: 'raw.flights',
  columns: [
    { name: 'distance', type: 'double' },
    { name: 'late_share', type: 'double' },
    { name: 'late', type: 'boolean' },
  ],
};
