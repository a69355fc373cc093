/** Other people's software that is tested against, each with the time it may take, downloads included. Together under 40 minutes. */
export const peers: readonly { readonly name: string; readonly minutesMax: number }[] = [
  { name: 'pyiceberg', minutesMax: 3 },
  { name: 'duckdb-iceberg', minutesMax: 3 },
  { name: 'spark', minutesMax: 5 },
  { name: 'rck', minutesMax: 7 },
  { name: 'pyiceberg-rest', minutesMax: 2 },
  { name: 'duckdb-rest', minutesMax: 2 },
  { name: 'spark-rest', minutesMax: 8 },
  { name: 'ray', minutesMax: 4 },
  { name: 'trino', minutesMax: 5 },
];
