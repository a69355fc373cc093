import { notBuilt } from './not-built.ts';

export function search(..._: readonly unknown[]): never {
  return notBuilt('search');
}
