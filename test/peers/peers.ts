/** Other people's software that is tested against, each with the time it may take, downloads included. Together under an hour. */
export const peers: readonly { readonly name: string; readonly minutesMax: number }[] = [
  { name: 'pyiceberg', minutesMax: 3 },
  { name: 'duckdb-iceberg', minutesMax: 3 },
  { name: 'spark', minutesMax: 4 },
  { name: 'rck', minutesMax: 5 },
  { name: 'pyiceberg-rest', minutesMax: 2 },
  { name: 'pyiceberg-s3', minutesMax: 2 },
  { name: 'duckdb-rest', minutesMax: 2 },
  { name: 'duckdb-s3', minutesMax: 2 },
  { name: 'spark-rest', minutesMax: 7 },
  { name: 'spark-s3', minutesMax: 5 },
  { name: 'scan-planning', minutesMax: 5 },
  { name: 'reference-catalog', minutesMax: 2 },
  { name: 'ray', minutesMax: 4 },
  { name: 'trino', minutesMax: 5 },
];
