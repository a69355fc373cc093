/** The median of each in seconds, taken in turns after a round that does not count, so that a slow moment of the machine hits both. */
export async function sideBySide(
  rounds: number,
  ours: () => Promise<void>,
  peer: () => Promise<void>,
): Promise<{ readonly ours: number; readonly peer: number }> {
  const seconds: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  await ours();
  await peer();
  for (let round = 0; round < rounds; round++) {
    seconds.ours.push(await timed(ours));
    seconds.peer.push(await timed(peer));
  }
  return { ours: median(seconds.ours), peer: median(seconds.peer) };
}

export async function timed(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
