/** How well an epoch is shuffled, from each row's place before, in the order after. */
export interface ShuffleQuality {
  /**
   * The greatest distance between the distribution of the displacements |place after - place before| / rows and that of a uniform
   * permutation, 2d - d^2 (Kolmogorov and Smirnov's): 0 is uniform, 1 the worst.
   */
  readonly displacementDistance: number;
  /** For each lag asked for, the correlation of the places before of two rows that lie so far apart after: 0 is uniform. */
  readonly autocorrelations: readonly number[];
}

/** `before` holds each row's place before, from 0 to rows - 1, each once, in the order after. Sorts 8 bytes a row. */
export function shuffleQuality(before: Float64Array, lags: readonly number[]): ShuffleQuality {
  const rows = before.length;
  const displacements = before.map((place, position) => Math.abs(place - position) / rows).sort();
  let displacementDistance = 0;
  for (const [rank, displacement] of displacements.entries()) {
    const uniform = 2 * displacement - displacement ** 2;
    displacementDistance = Math.max(displacementDistance, Math.abs(rank / rows - uniform), Math.abs((rank + 1) / rows - uniform));
  }
  const mean = (rows - 1) / 2;
  const variance = (rows ** 2 - 1) / 12;
  const autocorrelations = lags.map((lag) => {
    let sum = 0;
    for (let position = lag; position < rows; position++) {
      sum += ((before[position] ?? 0) - mean) * ((before[position - lag] ?? 0) - mean);
    }
    return sum / (rows - lag) / variance;
  });
  return { displacementDistance, autocorrelations };
}
