/** Other people's software that is tested against, each with the time it may take, downloads included. Together under 40 minutes. */
export const peers: readonly { readonly name: string; readonly minutesMax: number }[] = [
  { name: 'pyiceberg', minutesMax: 8 },
  { name: 'duckdb-iceberg', minutesMax: 8 },
  { name: 'spark', minutesMax: 12 },
  { name: 'scan-planning', minutesMax: 6 },
  { name: 'reference-catalog', minutesMax: 4 },
];
