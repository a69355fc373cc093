import { IcecoreError } from '../src/errors.ts';
import { featuresOf, featureTableOf } from '../src/features/feature-table-of.ts';
import { printIdentifier } from '../src/iceberg/identifier.ts';
import { pageRowsMax } from '../src/limits.ts';
import { type Connection, connectionFrom, type PageArgs } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { NodeValue } from './node-value.ts';

/** Everything whose name, description or tags hold all the words, models first, each kind by name. Cursors are places in that order. */
export async function search(
  { text, ...args }: PageArgs & { readonly text: string },
  context: ApiContext,
): Promise<Connection<NodeValue>> {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  if (words.length === 0) throw new IcecoreError('BAD_USER_INPUT', 'A search needs a word to look for.');
  const page = await connectionFrom(
    args,
    ({ place }: Found) => String(place),
    async ({ first, after }): Promise<readonly Found[]> => {
      const from = after === null ? 0 : Number(after);
      const found: Found[] = [];
      let place = 0;
      for await (const { value, says } of candidates(context)) {
        if (!words.every((word) => says.includes(word))) continue;
        place++;
        if (place > from) found.push({ place, value });
        if (found.length >= first) break;
      }
      return found;
    },
  );
  return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node: node.value })) };
}

interface Found {
  /** From 1. */
  readonly place: number;
  readonly value: NodeValue;
}

interface Candidate {
  readonly value: NodeValue;
  /** What a search looks in, in lower case. */
  readonly says: string;
}

function candidate(typename: string, value: object, ...texts: readonly unknown[]): Candidate {
  const said = texts.map((text) => (typeof text === 'string' ? text : text == null ? '' : JSON.stringify(text)));
  return { value: { typename, value }, says: said.join('\n').toLowerCase() };
}

async function* candidates({ icecore, signal }: ApiContext): AsyncGenerator<Candidate> {
  for await (const model of every((page) => icecore.models.read.models({}, page))) {
    yield candidate('Model', model, model.name, model.description, model.owner);
  }
  for await (const set of every((page) => icecore.featureSets.featureSets(page))) yield candidate('FeatureSet', set, set.name);
  for await (const set of every((page) => icecore.training.trainingSets(page))) yield candidate('TrainingSet', set, set.name);
  for (let after: string | undefined; ; ) {
    signal.throwIfAborted();
    const tables = await icecore.tables.list({ limit: pageRowsMax, ...(after === undefined ? {} : { after }) });
    for (const table of tables) {
      const name = printIdentifier(table.identifier);
      const declared = featureTableOf(table);
      yield candidate('Table', table, name, table.metadata.properties.comment);
      if (declared !== null) {
        yield candidate('FeatureTable', declared, name, declared.description, declared.owner, declared.tags);
        for (const feature of featuresOf(table))
          yield candidate('Feature', feature, feature.name, feature.description, feature.tags);
      }
      after = name;
    }
    if (tables.length < pageRowsMax) return;
  }
}

/** All of a list by name, page by page. */
async function* every<Item extends { readonly name: string }>(
  read: (page: { readonly first: number; readonly after: string | null }) => Promise<readonly Item[]>,
): AsyncGenerator<Item> {
  for (let after: string | null = null; ; ) {
    const items: readonly Item[] = await read({ first: pageRowsMax, after });
    yield* items;
    const last = items.at(-1);
    if (last === undefined || items.length < pageRowsMax) return;
    after = last.name;
  }
}
