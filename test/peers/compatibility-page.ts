import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

const page = new URL('../../docs/compatibility.md', import.meta.url);

/**
 * Asserts that docs/compatibility.md says `text` between the marks of a part; with ICECORE_WRITE_COMPATIBILITY=true it is written there
 * instead.
 */
export function expectOnPage(part: string, text: string): void {
  const marks = { begin: `<!-- ${part}: written by its test -->\n`, end: `<!-- end of ${part} -->\n` };
  const old = readFileSync(page, 'utf8');
  const from = old.indexOf(marks.begin) + marks.begin.length;
  const to = old.indexOf(marks.end);
  if (from < marks.begin.length || to < from) throw new Error(`docs/compatibility.md has no part ${part}`);
  const wanted = `\n${text.trim()}\n\n`;
  if (process.env.ICECORE_WRITE_COMPATIBILITY === 'true') {
    writeFileSync(page, old.slice(0, from) + wanted + old.slice(to));
  } else {
    expect(old.slice(from, to), `${part} in docs/compatibility.md; ICECORE_WRITE_COMPATIBILITY=true writes it`).toBe(wanted);
  }
}
