/**
 * Imports point down and never up. Each tier may import the ones below it, and its own neighbours.
 * What everything may use: errors, clock, limits, node ids, and who is asking (access).
 */
const tiers = [
  ['iceberg'],
  ['storage', 'catalog', 'arrow', 'parquet'],
  ['sql'],
  ['tables'],
  ['ledger'],
  ['runs', 'lineage'],
  ['audit'],
  ['features', 'training', 'models', 'scoring', 'lakehouse', 'views', 'rest-catalog'],
];
const foundations = '^src/(access|errors|clock|limits|node-id)';

const upward = tiers.map((folders, index) => {
  const below = tiers.slice(0, index + 1).flat().join('|');
  return {
    name: `${folders.join('-')}-imports-down`,
    severity: 'error',
    comment: `src/${folders.join(', src/')} may import ${below.replaceAll('|', ', ')} and the foundations.`,
    from: { path: `^src/(${folders.join('|')})/` },
    to: { path: '^(src|resolvers|schema|demo|test|bench|scripts)/', pathNot: [`^src/(${below})/`, foundations] },
  };
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...upward,
    {
      name: 'foundations-import-nothing-above',
      severity: 'error',
      from: { path: foundations },
      to: { path: '^(src|resolvers|schema)/', pathNot: [foundations, '^src/iceberg/'] },
    },
    {
      name: 'resolvers-know-the-domain-alone',
      severity: 'error',
      comment: 'Resolvers are below the schema and the listener.',
      from: { path: '^resolvers/' },
      to: { path: '^(schema/|src/(http|serve|main))' },
    },
    {
      name: 'schema-knows-no-listener',
      severity: 'error',
      from: { path: '^schema/' },
      to: { path: '^src/(http|serve|main)' },
    },
    {
      name: 'graphql-is-for-http',
      severity: 'error',
      comment: 'Nothing in src outside http knows GraphQL.',
      from: { path: '^src/', pathNot: '^src/http/' },
      to: { path: '(^|/)(graphql|graphql-yoga|@pothos|@graphql-yoga)(/|$)' },
    },
    {
      name: 'graphql-and-schema-are-for-http',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(http/|serve|main)' },
      to: { path: '^(schema|resolvers)/' },
    },
    {
      name: 'command-line-is-a-client',
      severity: 'error',
      comment: 'It asks a server over HTTP, as any client: of src it knows errors, limits and JSON without rounding.',
      from: { path: '^src/cli/' },
      to: { path: '^(src|resolvers|schema|demo|test|bench|scripts)/', pathNot: '^src/(cli/|errors|limits|iceberg/json)' },
    },
    {
      name: 'command-line-brings-no-packages',
      severity: 'error',
      comment: 'It starts at once, and runs where nothing is installed.',
      from: { path: '^src/cli/' },
      to: { path: '(^|/)node_modules/' },
    },
    {
      name: 'only-main-knows-the-command-line',
      severity: 'error',
      from: { path: '^(src|resolvers|schema)/', pathNot: '^src/(cli/|main)' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'no-test-in-the-product',
      severity: 'error',
      from: { path: '^(src|schema|resolvers)/' },
      to: { path: '^(test|bench|demo|scripts)/' },
    },
    {
      name: 'no-cycle-between-folders',
      severity: 'error',
      comment: 'Files of one folder may know each other; folders may not go round in a circle.',
      from: { path: '^src/([^/]+)/' },
      to: { circular: true, pathNot: '^src/$1/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { extensions: ['.ts', '.js'], exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
};
