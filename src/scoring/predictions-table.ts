import { IcecoreError } from '../errors.ts';
import type { TypedColumn } from '../features/point-in-time/plan.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { checkIdentifier, parseIdentifier, printIdentifier } from '../iceberg/identifier.ts';
import { parseJson } from '../iceberg/json.ts';
import { asArrayOf, asObject, asString, member } from '../iceberg/json-member.ts';
import { currentSchema, type TableMetadata } from '../iceberg/metadata.ts';
import { parseTypeText, printTypeText } from '../iceberg/type-text.ts';
import { ledgerNamespace } from '../ledger/ledger-identifier.ts';
import type { ModelSignature } from '../models/model.ts';
import type { ColumnDefinition, TableDefinition } from '../tables/new-table.ts';

/** The table property that makes a table one of predictions, and tells its columns apart. */
const predictionsProperty = 'icecore.predictions';

/** Which of a predictions table's columns are entity keys, and which the model's outputs. */
export interface PredictionsLayout {
  readonly entityKeys: readonly string[];
  readonly outputs: readonly string[];
}

const beforeKeys: readonly ColumnDefinition[] = [
  { name: 'prediction_id', type: 'string', required: true, doc: 'Derived from the run and the row' },
];
const asOf: ColumnDefinition = {
  name: 'as_of',
  type: 'timestamptz',
  required: true,
  doc: 'The moment that the prediction is for',
};
const afterOutputs: readonly ColumnDefinition[] = [
  { name: 'model_name', type: 'string', required: true, doc: 'The model' },
  { name: 'model_version', type: 'int', required: true, doc: 'Its version' },
  { name: 'model_digest', type: 'string', required: true, doc: 'The digest that was approved' },
  {
    name: 'model_identity',
    type: 'string',
    required: true,
    doc: 'REPORTED where the endpoint said which version answered, else ASSERTED',
  },
  { name: 'feature_set_hash', type: 'string', required: false, doc: 'The hash of the feature set' },
  { name: 'feature_snapshots', type: 'map<string, long>', required: true, doc: 'The snapshot of each table that was read' },
  { name: 'features_sha256', type: 'string', required: true, doc: 'SHA-256 of the inputs that were sent' },
  { name: 'scored_at', type: 'timestamptz', required: true, doc: 'When the model answered' },
  { name: 'run_id', type: 'string', required: true, doc: 'The scoring run' },
  { name: 'status', type: 'string', required: true, doc: 'OK or FAILED' },
  { name: 'error', type: 'string', required: false, doc: 'Why it failed' },
];

/** The table that a model's predictions go to (semantics, section 4). Throws BAD_USER_INPUT where two columns have one name. */
export function predictionsTable(entityKeys: readonly TypedColumn[], signature: ModelSignature): TableDefinition {
  const keys = entityKeys.map(({ column, type }) => ({ name: column, type: printTypeText(type), doc: 'Entity key' }));
  const outputs = signature.outputs.map(({ name, type }) => ({ name, type, doc: 'Output of the model; null where it failed' }));
  const columns = [...beforeKeys, ...keys, asOf, ...outputs, ...afterOutputs];
  const names = columns.map(({ name }) => name.toLowerCase());
  const twice = columns.find(({ name }, index) => names.indexOf(name.toLowerCase()) !== index);
  if (twice !== undefined) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `A predictions table would have two columns "${twice.name}": entity keys, the model's outputs and ${[asOf, ...beforeKeys, ...afterOutputs].map(({ name }) => name).join(', ')} need names of their own.`,
      { context: { column: twice.name } },
    );
  }
  const layout: PredictionsLayout = {
    entityKeys: keys.map(({ name }) => name),
    outputs: outputs.map(({ name }) => name),
  };
  return {
    columns,
    partitionBy: [
      { column: 'model_name', transform: 'identity' },
      { column: 'as_of', transform: 'day' },
    ],
    properties: { [predictionsProperty]: JSON.stringify(layout) },
  };
}

/** Null for a table that holds no predictions. */
export function predictionsLayout(metadata: TableMetadata): PredictionsLayout | null {
  const text = metadata.properties[predictionsProperty];
  if (text === undefined) return null;
  const value = asObject(parseJson(text), predictionsProperty);
  return {
    entityKeys: member(value, 'entityKeys', asArrayOf(asString), predictionsProperty),
    outputs: member(value, 'outputs', asArrayOf(asString), predictionsProperty),
  };
}

/** Throws FAILED_PRECONDITION where a table that is there cannot take these predictions, naming the first difference. */
export function checkPredictionsTable(name: string, metadata: TableMetadata, wanted: TableDefinition): void {
  const refuse = (why: string) =>
    new IcecoreError('FAILED_PRECONDITION', `${name} cannot take these predictions: ${why}. Score into another table.`, {
      context: { table: name },
    });
  if (predictionsLayout(metadata) === null) throw refuse('it is no predictions table');
  if (metadata.properties[predictionsProperty] !== wanted.properties?.[predictionsProperty]) {
    throw refuse('its entity keys and outputs are others than those of this model and source');
  }
  const { fields } = currentSchema(metadata);
  for (const column of wanted.columns) {
    const field = fields.find((candidate) => candidate.name === column.name);
    const type = printTypeText(parseTypeText(column.type, () => 0));
    if (field === undefined) throw refuse(`it has no column "${column.name}"`);
    if (printTypeText(field.type) !== type) {
      throw refuse(`its column "${column.name}" is ${printTypeText(field.type)}, and would have to be ${type}`);
    }
  }
  const extra = fields.find((field) => field.required && !wanted.columns.some(({ name: column }) => column === field.name));
  if (extra !== undefined) throw refuse(`its column "${extra.name}" is required, and predictions have none of that name`);
}

/** Throws BAD_USER_INPUT for what is no table's name, FORBIDDEN for one of Icecore's own. */
export function predictionsIdentifier(name: string): TableIdentifier {
  const identifier = checkIdentifier(parseIdentifier(name));
  if (identifier.namespace[0] !== ledgerNamespace) return identifier;
  throw new IcecoreError(
    'FORBIDDEN',
    `${printIdentifier(identifier)} is in ${ledgerNamespace}, where only Icecore writes. Use another namespace, such as predictions.`,
  );
}
