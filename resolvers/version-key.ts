import { IcecoreError } from '../src/errors.ts';

/** What a versioned thing is loaded by: a feature set, training set or model version. */
export interface VersionedName {
  readonly name: string;
  readonly version: number;
}

/** One key for a DataLoader: `3/churn`. The number comes first, since a name may hold anything. */
export function versionKey({ name, version }: VersionedName): string {
  return `${version}/${name}`;
}

export function parseVersionKey(key: string): VersionedName {
  const slash = key.indexOf('/');
  const version = Number(key.slice(0, slash));
  if (slash < 1 || !Number.isSafeInteger(version)) throw new IcecoreError('INTERNAL', `"${key}" is no version key.`);
  return { name: key.slice(slash + 1), version };
}
