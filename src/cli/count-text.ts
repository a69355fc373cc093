/** `3,000,000`, from a number or the digits of one. */
export function countText(count: bigint | number | string): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 row`, `2,000 rows`, `no rows`. */
export function counted(count: bigint | number | string, noun: string): string {
  const text = String(count);
  if (text === '0') return `no ${noun}s`;
  return `${countText(text)} ${noun}${text === '1' ? '' : 's'}`;
}

/** `12 ms`, `1.3 s`. */
export function elapsedText(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
