import type { ApiKeys } from './access/api-keys.ts';

export interface IcecoreParts {
  readonly keys: ApiKeys;
}

/** The domain behind the API. */
export class Icecore {
  readonly keys: ApiKeys;

  constructor({ keys }: IcecoreParts) {
    this.keys = keys;
  }

  /** Throws where requests could not be answered. */
  async checkReady(): Promise<void> {}
}
