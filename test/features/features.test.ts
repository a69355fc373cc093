import { afterAll, beforeAll, expect, test } from 'vitest';
import type { NewFeatureTable } from '../../src/features/features.ts';
import { evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { caller } from '../environment/store.ts';
import { ada, call, TrainingStore } from '../training/training-store.ts';

let world: TrainingStore;

beforeAll(async () => {
  world = await TrainingStore.open();
  await world.store.features.createFeatureTable(
    call(),
    hourly('features.hourly', { description: 'delays', owner: 'ada', tags: { team: 'x' } }),
  );
});

afterAll(async () => {
  await world.close();
});

function hourly(name: string, rest: Partial<NewFeatureTable> = {}): NewFeatureTable {
  return {
    name,
    columns: [
      { name: 'origin', type: 'string' },
      { name: 'lane', type: 'int' },
      { name: 'event', type: 'timestamp' },
      { name: 'known', type: 'timestamp' },
      { name: 'sequence', type: 'long' },
      { name: 'mean', type: 'double', doc: 'The mean.' },
      { name: 'count', type: 'long' },
    ],
    entityKeys: ['origin', 'lane'],
    eventTime: 'event',
    knownTime: 'known',
    sequence: 'sequence',
    timeToLiveMicros: 3_600_000_000n,
    ...rest,
  };
}

async function rename(table: string, from: string, to: string): Promise<void> {
  const transaction = world.store.tables.transaction();
  transaction.change(await world.load(table), evolveSchema([{ kind: 'rename', from, to }]));
  await transaction.commit();
}

test('a declaration is read back, lives in the table’s properties, and is audited', async () => {
  const table = await world.store.features.featureTable('features.hourly');
  expect(table).toMatchObject({
    entityKeys: ['origin', 'lane'],
    eventTime: 'event',
    knownTime: 'known',
    sequence: 'sequence',
    timeToLiveMicros: 3_600_000_000n,
    description: 'delays',
    owner: 'ada',
    tags: { team: 'x' },
    definition: null,
  });
  const { properties } = (await world.load('features.hourly')).metadata;
  expect(properties['icecore.feature.entity-keys']).toBe('[{"id":1,"name":"origin"},{"id":2,"name":"lane"}]');
  const features = await world.store.features.featuresOf(table?.tableUuid ?? '');
  expect(features.map(({ fieldId, name, type, description }) => [fieldId, name, type, description])).toEqual([
    [6, 'mean', 'double', 'The mean.'],
    [7, 'count', 'long', null],
  ]);
  const { entries } = await world.store.audit.entries({ subject: `table/${table?.tableUuid}` });
  expect(entries.map((entry) => entry.action)).toEqual(['createFeatureTable']);
});

test('a rename changes no declaration, and no frozen set', async () => {
  await world.store.features.createFeatureTable(call(), hourly('features.renamed'));
  const set = await world.store.featureSets.createFeatureSet(call(), {
    name: 'renaming',
    features: [{ table: 'features.renamed', feature: 'mean' }],
  });
  await rename('features.renamed', 'origin', 'airport');
  await rename('features.renamed', 'event', 'hour_end');
  await rename('features.renamed', 'mean', 'average');
  const table = await world.store.features.featureTable('features.renamed');
  expect(table).toMatchObject({ entityKeys: ['airport', 'lane'], eventTime: 'hour_end' });
  await world.append(
    'features.renamed',
    `SELECT 'SFO' AS airport, 1 AS lane, TIMESTAMP '2001-01-01' AS hour_end, 2.5 AS average`,
  );
  const ask = (version: number | null) =>
    world.training.featureVectors({
      featureSet: 'renaming',
      version,
      entities: [{ origin: 'SFO', lane: 1 }],
      atMicros: BigInt(Date.UTC(2001, 0, 1)) * 1000n,
      options: { boundary: 'INCLUSIVE', knowledge: 'IGNORE', onTie: 'ERROR', nulls: 'KEEP', matchStatus: false },
    });
  expect((await ask(set.version)).vectors).toEqual([{ mean: 2.5 }]);
});

test('what is left out of an update stays, null takes away, descriptions go by feature', async () => {
  await world.store.features.createFeatureTable(call(), hourly('features.updated', { owner: 'ada', description: 'old' }));
  const updated = await world.store.features.updateFeatureTable(call(), {
    name: 'features.updated',
    description: 'new',
    timeToLiveMicros: null,
    featureDescriptions: { mean: 'Mean delay.' },
  });
  expect(updated).toMatchObject({
    description: 'new',
    owner: 'ada',
    timeToLiveMicros: null,
    featureDescriptions: { mean: 'Mean delay.' },
  });
  await rename('features.updated', 'mean', 'average');
  const described = await world.store.features.featuresOf(updated.tableUuid);
  expect(described[0]).toMatchObject({ name: 'average', description: 'Mean delay.' });
  await expect(
    world.store.features.updateFeatureTable(call(), { name: 'features.updated', featureDescriptions: { nothing: 'x' } }),
  ).rejects.toThrow(/no feature nothing/);
});

test.each<[string, Partial<NewFeatureTable>, RegExp]>([
  ['without its keys', { entityKeys: [] }, /declares no entity keys/],
  ['a key that is not there', { entityKeys: ['airport'] }, /no column airport, which is named as an entity key/],
  ['a floating-point key', { entityKeys: ['mean'] }, /entity key mean is of type double/],
  ['an event time that is none', { eventTime: 'count' }, /the event time count is of type long/],
  ['a known time that is not there', { knownTime: 'arrival' }, /no column arrival/],
  ['one column in two roles', { sequence: 'event' }, /event is named as the event time and as the sequence/],
  ['no time to live', { timeToLiveMicros: 0n }, /time to live/],
  ['a definition of other columns', { definition: 'SELECT origin AS airport FROM features.hourly' }, /gives a column airport/],
  ['a definition of other types', { definition: "SELECT 'x' AS count FROM features.hourly" }, /gives count as VARCHAR/],
  ['a definition over no table', { definition: 'SELECT * FROM features.nothing' }, /features\.nothing does not exist/],
  ['a definition that reads a file', { definition: "SELECT * FROM read_csv('/etc/passwd')" }, /read_csv/],
  ['a table of Icecore’s', { name: 'icecore.models' }, /only Icecore writes/],
  [
    'only keys and times',
    {
      columns: [
        { name: 'origin', type: 'string' },
        { name: 'event', type: 'date' },
      ],
      entityKeys: ['origin'],
      knownTime: null,
      sequence: null,
    },
    /has no feature/,
  ],
])('refused: a feature table with %s', async (_, rest, message) => {
  const name = 'features.refused';
  await expect(world.store.features.createFeatureTable(call(), hourly(name, rest))).rejects.toThrow(message);
  expect(await world.store.features.featureTable(name)).toBeNull();
});

test('a table that is there is declared, and declared anew', async () => {
  await world.create('raw.there', {
    columns: [
      { name: 'shop', type: 'string' },
      { name: 'at_day', type: 'date' },
      { name: 'sales', type: 'int' },
    ],
  });
  const declare = (entityKeys: readonly string[]) =>
    world.store.features.createFeatureTable(call(), { name: 'raw.there', entityKeys, eventTime: 'at_day' });
  expect(await declare(['shop'])).toMatchObject({ entityKeys: ['shop'], knownTime: null });
  expect(await declare(['shop', 'sales']).catch((error: Error) => error.message)).toMatch(/has no feature/);
  await expect(world.store.features.createFeatureTable(call(), hourly('features.hourly'))).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
  });
});

test('versions of a set: the same content is the same version, anything else the next', async () => {
  const { featureSets, features } = world.store;
  await features.createFeatureTable(call(), hourly('features.versions'));
  const create = (alias: string) =>
    featureSets.createFeatureSet(call(), {
      name: 'versions',
      features: [{ table: 'features.versions', feature: 'mean', alias }],
    });
  expect((await create('a')).version).toBe(1);
  expect((await create('a')).version).toBe(1);
  expect((await create('b')).version).toBe(2);
  await features.updateFeatureTable(call(), { name: 'features.versions', timeToLiveMicros: 1n });
  const third = await create('b');
  expect(third).toMatchObject({ version: 3, tables: [{ timeToLiveMicros: 1n }] });
  expect((await featureSets.featureSet('versions', 2))?.tables[0]?.timeToLiveMicros).toBe(3_600_000_000n);
  expect(
    (await featureSets.featureSets({ first: 10, after: 'renaming' })).map(({ name, version }) => `${name} ${version}`),
  ).toEqual(['versions 3']);
  const uuid = third.tables[0]?.tableUuid ?? '';
  expect(
    (await featureSets.withFeature(uuid, 6, { first: 10, after: { name: 'versions', version: 1 } })).map(
      ({ version }) => version,
    ),
  ).toEqual([2, 3]);
});

test('many at once: no version number is used twice', async () => {
  const made = await Promise.all(
    ['a', 'b', 'c', 'd'].map((alias) =>
      world.store.featureSets.createFeatureSet(call(), {
        name: 'racing',
        features: [{ table: 'features.hourly', feature: 'mean', alias }],
      }),
    ),
  );
  expect(made.map(({ version }) => version).sort()).toEqual([1, 2, 3, 4]);
});

test('refused: names that clash, unknown features and keys, a plain table, a viewer', async () => {
  const create = (
    features: readonly { table: string; feature: string; alias?: string; keyMap?: { key: string; spineColumn: string }[] }[],
  ) => world.store.featureSets.createFeatureSet(call(), { name: 'refused', features });
  const mean = { table: 'features.hourly', feature: 'mean' };
  await expect(create([])).rejects.toThrow(/at least one feature/);
  await expect(create([mean, { ...mean, keyMap: [{ key: 'origin', spineColumn: 'destination' }] }])).rejects.toThrow(
    /mean would occur twice/,
  );
  await expect(create([{ table: 'features.hourly', feature: 'meen' }])).rejects.toThrow(/Did you mean mean/);
  await expect(create([{ ...mean, keyMap: [{ key: 'airport', spineColumn: 'x' }] }])).rejects.toThrow(/airport is no entity key/);
  await world.create('raw.plain', { columns: [{ name: 'n', type: 'int' }] });
  await expect(create([{ table: 'raw.plain', feature: 'n' }])).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  await expect(create([{ table: 'raw.nothing', feature: 'n' }])).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const viewer = { caller: caller('eve', ['viewer']), key: null, input: {} };
  await expect(world.store.features.createFeatureTable(viewer, hourly('features.eve'))).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
});

test('the same key has one effect, and another input under it is a conflict', async () => {
  const keyed = { caller: ada, key: 'table', input: { name: 'features.keyed' } };
  const first = await world.store.features.createFeatureTable(keyed, hourly('features.keyed'));
  const second = await world.store.features.createFeatureTable(keyed, hourly('features.keyed'));
  expect(second.tableUuid).toBe(first.tableUuid);
  await expect(
    world.store.features.createFeatureTable({ ...keyed, input: { name: 'features.other' } }, hourly('features.other')),
  ).rejects.toMatchObject({ code: 'CONFLICT' });
});

test('feature tables are listed by name, page by page', async () => {
  const names: string[] = [];
  for (let after: string | null = null; ; ) {
    const page = await world.store.features.featureTables({ first: 2, after });
    names.push(...page.map(({ name }) => name));
    after = page.at(-1)?.name ?? null;
    if (page.length < 2) break;
  }
  expect(names).toEqual([...names].sort());
  expect(names).toContain('raw.there');
  expect(names).not.toContain('raw.plain');
});
