/** Other people's software that is tested against, each with the time it takes at most where the network is not slow, downloads included. */
export const peers: readonly { readonly name: string; readonly minutes: number }[] = [
  { name: 'pyiceberg', minutes: 3 },
  { name: 'duckdb-iceberg', minutes: 3 },
  { name: 'spark', minutes: 4 },
  { name: 'rck', minutes: 5 },
  { name: 'pyiceberg-rest', minutes: 2 },
  { name: 'pyiceberg-s3', minutes: 2 },
  { name: 'duckdb-rest', minutes: 2 },
  { name: 'duckdb-s3', minutes: 2 },
  { name: 'spark-rest', minutes: 7 },
  { name: 'spark-s3', minutes: 5 },
  { name: 'scan-planning', minutes: 5 },
  { name: 'reference-catalog', minutes: 2 },
  { name: 'ray', minutes: 4 },
  { name: 'trino', minutes: 5 },
  { name: 'foreign-tables', minutes: 6 },
  { name: 'ray-training', minutes: 3 },
];
