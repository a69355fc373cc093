import { notBuilt } from './not-built.ts';

export function node(..._: readonly unknown[]): never {
  return notBuilt('node');
}

export function nodes(..._: readonly unknown[]): never {
  return notBuilt('nodes');
}
