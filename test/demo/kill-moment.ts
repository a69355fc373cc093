/** When the server is killed: so long after the nth call of an operation was sent. */
export interface KillMoment {
  readonly operation: string;
  readonly nth: number;
  readonly afterMs: number;
}

/** One moment in each part of the demo: raw data, features, training, approval, and what comes after. The same for the same seed. */
export function killMoments(seed: number): readonly KillMoment[] {
  const random = numbersFrom(seed);
  const one = <T>(choices: readonly [T, ...T[]]): T => choices[Math.floor(random() * choices.length)] ?? choices[0];
  // Calls that end with their commit last tens of milliseconds; runs go on behind their answer.
  const call = (operation: string, nth = 1): KillMoment => ({ operation, nth, afterMs: Math.floor(random() * 120) });
  const run = (operation: string, nth = 1): KillMoment => ({ operation, nth, afterMs: Math.floor(random() * 900) });
  return [
    one([
      call('createTable', one([1, 2])),
      call('writeRows', one([1, 2, 3, 4, 5, 6])),
      call('writeRows', one([1, 2, 3, 4, 5, 6])),
    ]),
    one([call('createFeatureTable', one([1, 2])), run('materializeFeatures', 1), run('materializeFeatures', 2)]),
    one([run('createTrainingSet'), run('createTrainingSet'), call('trainingBatches', one([1, 2, 3, 4, 5]))]),
    one([call('registerModelVersion'), call('submitModelVersion'), call('reviewModelVersion', 2), call('setModelAlias')]),
    one([run('scoreBatch'), run('scoreBatch'), run('compactTable'), call('expireSnapshots'), run('reproduceTrainingSet')]),
  ];
}

/** Numbers from 0 up to 1 (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
