import { IcecoreError } from '../errors.ts';
import type { Api } from './api.ts';
import { printable } from './printable.ts';
import { Refusal } from './refusal.ts';

/** How a thing is found by its name: one query, and where in the answer its id is. */
export interface LineageRoot {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The ids on the way to it, the last the nearest; the first that is not null is meant. */
  idOf(data: unknown): string | null;
}

interface Identified {
  readonly id: string;
}

/** The part after the last `@`; one inside of double quotes belongs to the name. */
const versioned = /^(.+?)(?:@([^@"]+))?$/s;

/**
 * What a text on the command line means: `raw.flights` or `raw.flights@SNAPSHOT|REF` a table's snapshot, `training:NAME@1`,
 * `model:NAME@1|ALIAS`, `feature-set:NAME@1`, `feature:TABLE.COLUMN`, `prediction:TABLE/ID`; null for an id of the API. Without a version
 * it is the newest of training and feature sets, the current snapshot of a table, and every version of a model. Throws BAD_USER_INPUT.
 */
export function lineageRoot(text: string): LineageRoot | null {
  const [, kind = '', rest = ''] = /^([a-z-]+):(.+)$/s.exec(text) ?? [];
  const [, name = '', version = null] = versioned.exec(kind === '' ? text : rest) ?? [];
  switch (kind) {
    case 'training':
      return byName('trainingSet', name, wholeNumber(version, text));
    case 'feature-set':
      return byName('featureSet', name, wholeNumber(version, text));
    case 'model':
      return ofModel(name, version);
    case 'feature':
      return ofFeature(rest);
    case 'prediction':
      return ofPrediction(rest);
    case '':
      // A table's name has a namespace, so a dot; an id has none.
      return text.includes('.') ? ofTable(name, version) : null;
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `There is no kind "${kind}:"; there is: training:, model:, feature-set:, feature:, prediction:. A table goes without.`,
  );
}

/** The id that lineage is asked for. Throws NOT_FOUND, as a refusal, where there is no such thing. */
export async function lineageRootId(text: string, root: LineageRoot | null, api: Api): Promise<string> {
  if (root === null) return text;
  const id = root.idOf(await api.ask(root.query, root.variables));
  if (id === null) throw new Refusal(`There is no ${printable(text)}.`, 'NOT_FOUND');
  return id;
}

function byName(field: 'trainingSet' | 'featureSet', name: string, version: number | null): LineageRoot {
  return {
    query: `query ($name: String!, $version: Int) { found: ${field}(name: $name, version: $version) { id } }`,
    variables: { name, version },
    idOf: (data) => (data as { readonly found: Identified | null }).found?.id ?? null,
  };
}

function ofModel(name: string, version: string | null): LineageRoot {
  if (version === null) {
    return {
      query: 'query ($name: String!) { model(name: $name) { id } }',
      variables: { name },
      idOf: (data) => (data as { readonly model: Identified | null }).model?.id ?? null,
    };
  }
  const selector = /^\d+$/.test(version) ? { number: Number(version) } : { alias: version };
  return {
    query: `query ($name: String!, $number: Int, $alias: String) {
      model(name: $name) { version(number: $number, alias: $alias) { id } }
    }`,
    variables: { name, ...selector },
    idOf: (data) => (data as { readonly model: { readonly version: Identified | null } | null }).model?.version?.id ?? null,
  };
}

function ofTable(name: string, version: string | null): LineageRoot {
  if (version !== null) {
    const asOf = /^\d+$/.test(version) ? { snapshotId: version } : { ref: version };
    return {
      query: 'query ($name: String!, $asOf: AsOf!) { table(name: $name) { snapshot(asOf: $asOf) { id } } }',
      variables: { name, asOf },
      idOf: (data) => (data as { readonly table: { readonly snapshot: Identified | null } | null }).table?.snapshot?.id ?? null,
    };
  }
  return {
    query: 'query ($name: String!) { table(name: $name) { id currentSnapshot { id } } }',
    variables: { name },
    idOf: (data) => {
      const { table } = data as { readonly table: (Identified & { readonly currentSnapshot: Identified | null }) | null };
      return table?.currentSnapshot?.id ?? table?.id ?? null;
    },
  };
}

function ofFeature(text: string): LineageRoot {
  const dot = text.lastIndexOf('.');
  return {
    query: 'query ($table: String!, $feature: String!) { featureTable(name: $table) { feature(name: $feature) { id } } }',
    variables: { table: text.slice(0, Math.max(0, dot)), feature: text.slice(dot + 1) },
    idOf: (data) =>
      (data as { readonly featureTable: { readonly feature: Identified | null } | null }).featureTable?.feature?.id ?? null,
  };
}

function ofPrediction(text: string): LineageRoot {
  const slash = text.lastIndexOf('/');
  return {
    query: 'query ($table: String!, $id: ID!) { prediction(table: $table, predictionId: $id) { id } }',
    variables: { table: text.slice(0, Math.max(0, slash)), id: text.slice(slash + 1) },
    idOf: (data) => (data as { readonly prediction: Identified | null }).prediction?.id ?? null,
  };
}

function wholeNumber(version: string | null, text: string): number | null {
  if (version === null) return null;
  const number = Number(version);
  if (/^\d+$/.test(version) && number <= 2 ** 31 - 1) return number;
  throw new IcecoreError('BAD_USER_INPUT', `"${version}" in ${printable(text)} is no version: write a number such as 1.`);
}
