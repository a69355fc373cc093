import { notBuilt } from './not-built.ts';
import type { SqlBatchView } from './views.ts';

export function sql(..._: readonly unknown[]): never {
  return notBuilt('sql');
}

export function sqlBatches(..._: readonly unknown[]): AsyncIterable<SqlBatchView> {
  return notBuilt('sqlBatches');
}
