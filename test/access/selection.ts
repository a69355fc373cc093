import {
  type GraphQLNamedOutputType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isCompositeType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
} from 'graphql';

/** Arguments without which a field cannot be asked for, by type and field. */
const given: Readonly<Record<string, string>> = {
  'Table.snapshot': '(asOf: { ref: "main" })',
  'FeatureTable.feature': '(name: "x")',
  'Model.version': '(number: 1)',
};
/** Each costs a read by the engine: asked for where little else is. */
const costly: ReadonlySet<string> = new Set([
  'Table.rows',
  'Table.scanPlan',
  'Column.statistics',
  'Prediction.explanation',
  'Prediction.trail',
]);

/** All that can be asked of a field's type, so many levels deep; lists by their first three. */
export function selectionOf(schema: GraphQLSchema, type: GraphQLOutputType, depth: number): string {
  const named: GraphQLNamedOutputType = getNamedType(type);
  if (!isCompositeType(named)) return '';
  const possible = isInterfaceType(named) ? schema.getPossibleTypes(named) : [];
  const fragments = possible.map((each) => `... on ${each.name} ${fieldsOf(schema, each, depth, `${each.name}_`)}`);
  const own = isObjectType(named) ? fieldsOf(schema, named, depth, '').slice(1, -1) : '';
  return `{ __typename ${own} ${fragments.join(' ')} }`;
}

/** `prefix` tells apart fields of one name that several types answer differently. */
function fieldsOf(schema: GraphQLSchema, type: GraphQLObjectType, depth: number, prefix: string): string {
  const asked = Object.values(type.getFields()).flatMap((field) => {
    const key = `${type.name}.${field.name}`;
    const isLeaf = !isCompositeType(getNamedType(field.type));
    if (!isLeaf && depth === 0) return [];
    if (costly.has(key) && depth < 3) return [];
    const alias = prefix === '' ? '' : `${prefix}${field.name}: `;
    const first = field.args.some(({ name }) => name === 'first') ? '(first: 3)' : '';
    const args = given[key] ?? first;
    if (args === '' && field.args.some(isRequiredArgument))
      throw new Error(`${key} takes arguments that this test does not give`);
    // The wrapping of a list costs no level.
    const wraps = /Connection$|Edge$|PageInfo$/.test(getNamedType(field.type).name);
    return [`${alias}${field.name}${args} ${isLeaf ? '' : selectionOf(schema, field.type, wraps ? depth : depth - 1)}`];
  });
  return `{ __typename ${asked.join(' ')} }`;
}
