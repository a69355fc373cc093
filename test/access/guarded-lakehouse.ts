import { type Answer, startTestServer, type TestServer } from '../http/test-server.ts';
import { ModelServer, scoring } from '../scoring/model-server.ts';

/** What the names of everything hidden hold, and nothing else does. */
export const secret = 'zebra';

/** Those who ask: each name is the subject, and its key begins with it. */
export type Who = 'rita' | 'ben' | 'fay' | 'lou' | 'dash' | 'adm' | 'nil';

const keys = [
  { subject: 'rita', kind: 'HUMAN', roles: ['scientist', 'admin'] },
  { subject: 'ben', kind: 'HUMAN', roles: ['approver'] },
  // Sees the namespace `features`, and nothing else of what there is.
  { subject: 'fay', kind: 'HUMAN', roles: ['scientist', 'approver', 'admin'] },
  // May look at what fay may change.
  { subject: 'lou', kind: 'HUMAN', roles: ['scientist', 'admin'] },
  // Shows predictions, and sees neither the model nor what it was trained on.
  { subject: 'dash', kind: 'SERVICE', roles: ['viewer'] },
  { subject: 'adm', kind: 'HUMAN', roles: ['admin'] },
  { subject: 'nil', kind: 'HUMAN', roles: ['viewer'] },
] as const;

const grants = [
  { subject: 'rita', on: '*', may: 'write' },
  { subject: 'rita', on: 'icecore', may: 'read' },
  { subject: 'ben', on: '*', may: 'read' },
  { subject: 'fay', on: 'features', may: 'write' },
  // A training set of her own takes its two tables.
  { subject: 'fay', on: 'training.new', may: 'write' },
  { subject: 'fay', on: 'training.new__spine', may: 'write' },
  { subject: 'lou', on: 'features', may: 'read' },
  { subject: 'dash', on: 'predictions', may: 'read' },
];

export function keyOf(who: Who): string {
  return `${who}-key-of-the-test`;
}

/**
 * A server with all that there can be: feature tables that fay sees, and a hidden world around them: the tables they are computed from, a
 * training set on their snapshots, a model, its predictions and runs, and a table that is gone.
 */
export class GuardedLakehouse {
  readonly server: TestServer;
  /** Ids and locations of what fay may not see. */
  readonly hiddenTraces: readonly string[];
  readonly #models: ModelServer;

  private constructor(server: TestServer, models: ModelServer, hiddenTraces: readonly string[]) {
    this.server = server;
    this.#models = models;
    this.hiddenTraces = hiddenTraces;
  }

  static async open(): Promise<GuardedLakehouse> {
    const models = await ModelServer.open(scoring({ model: `${secret}-model`, version: '1' }));
    const server = await startTestServer({
      keys: JSON.stringify(keys.map((key) => ({ ...key, key: keyOf(key.subject) }))),
      grants: JSON.stringify(grants),
      modelOrigins: models.url,
      // Around the warehouse, as nobody should set it.
      fileRoot: '.',
    });
    const lakehouse = new GuardedLakehouse(server, models, []);
    await lakehouse.#fill(models.url);
    return new GuardedLakehouse(server, models, await lakehouse.#traces());
  }

  ask(who: Who, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    return this.server.ask(query, variables, keyOf(who));
  }

  /** The answer's data. Throws where there are errors. */
  // biome-ignore lint/suspicious/noExplicitAny: answers of any shape
  async data(who: Who, query: string, variables: Readonly<Record<string, unknown>> = {}): Promise<any> {
    const { data, errors } = await this.ask(who, query, variables);
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    return data;
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.#models.close();
  }

  async #fill(modelUrl: string): Promise<void> {
    const times = [
      { name: 'k', type: 'long' },
      { name: 'moment', type: 'timestamptz' },
    ];
    const rows = [0, 1, 2].map((k) => ({ k: String(k), moment: `2001-01-01T0${k}:00:00Z`, x: k, distance: String(k) }));
    const columns = [...times, { name: 'x', type: 'double' }, { name: 'distance', type: 'long' }];
    for (const name of [`raw.${secret}_flights`, `secret.${secret}_vault`, `secret.${secret}_gone`, 'features.copy'])
      await this.#mutate('createTable', { name, columns });
    for (const name of [`raw.${secret}_flights`, `secret.${secret}_vault`, `secret.${secret}_gone`])
      await this.#mutate('writeRows', { table: name, rows: { json: rows } });
    for (const name of [`secret.${secret}_gone`, `secret.${secret}_vault`])
      await this.#mutate('writeRows', { table: 'features.copy', rows: { sql: `SELECT * FROM ${name}` } });
    const declared = { entityKeys: ['k'], eventTime: 'moment', columns };
    await this.#mutate('createFeatureTable', { ...declared, name: 'features.plain', description: 'Plain ones' });
    await this.#mutate('createFeatureTable', { ...declared, name: `secret.${secret}_features` });
    const definition = `SELECT k, moment, x, distance FROM raw.${secret}_flights`;
    await this.#mutate('createFeatureTable', { ...declared, name: 'features.computed', definition });
    for (const table of ['features.plain', `secret.${secret}_features`])
      await this.#mutate('writeRows', { table, rows: { json: rows } });
    const window = { from: '2001-01-01T00:00:00Z', to: '2001-01-02T00:00:00Z' };
    await this.#run('materializeFeatures', { featureTable: 'features.computed', ...window });
    // Something hidden comes from what shows, too.
    await this.#mutate('writeRows', { table: `secret.${secret}_vault`, rows: { sql: 'SELECT * FROM features.plain' } });
    await this.#mutate('createFeatureSet', { name: 'plain_set', features: [{ table: 'features.plain', feature: 'x' }] });
    const hiddenFeature = { table: `secret.${secret}_features`, feature: 'x', alias: `${secret}_x` };
    await this.#mutate('createFeatureSet', { name: `${secret}_set`, features: [hiddenFeature] });
    await this.#mutate('createFeatureSet', {
      name: `${secret}_mixed_set`,
      features: [{ table: 'features.plain', feature: 'x' }, hiddenFeature],
    });
    const spine = { source: { sql: `SELECT k, moment, distance FROM raw.${secret}_flights` }, eventTime: 'moment', labels: [] };
    await this.#run('createTrainingSet', { name: `${secret}_training`, spine, featureSet: 'plain_set', featureSetVersion: 1 });
    await this.#run('reproduceTrainingSet', { name: `${secret}_training`, version: 1 });
    await this.#registerModels(modelUrl);
    await this.#run('scoreBatch', {
      modelVersion: { model: `${secret}-model`, selector: { number: 1 } },
      source: { spine },
      into: `predictions.${secret}_scores`,
    });
    await this.#mutate('expireSnapshots', { table: 'features.plain', olderThan: '2040-01-01T00:00:00Z' }, '{ run { id } }');
    await this.#run('compactTable', { table: `raw.${secret}_flights` });
    await this.#mutate('dropTable', { name: `secret.${secret}_gone` }, '{ name }');
    // A refusal, which is an entry of its own.
    await this.ask('nil', `mutation { dropTable(input: { name: "secret.${secret}_vault" }) { name } }`);
  }

  async #registerModels(url: string): Promise<void> {
    const signature = {
      inputs: [
        { name: 'x', type: 'double', required: false },
        { name: 'distance', type: 'long' },
      ],
      outputs: [{ name: 'score', type: 'double' }],
    };
    const artifactSha256 = 'ef'.repeat(32);
    const endpoint = { url, protocol: 'OPEN_INFERENCE_V2', model: `${secret}-model`, version: '1' };
    const trained = { trainingSet: { name: `${secret}_training`, version: 1 } };
    await this.#mutate('registerModel', { name: `${secret}-model`, description: secret });
    await this.#mutate('registerModel', { name: 'open-model', protectedAliases: [] });
    const version = { signature, artifactSha256 };
    const hidden = { ...version, model: `${secret}-model`, trainedOn: trained, endpoint };
    await this.#mutate('registerModelVersion', hidden);
    const metrics = [{ name: 'auc', value: 0.5, dataset: { name: `raw.${secret}_flights` } }];
    const open = { ...version, model: 'open-model', metrics };
    await this.#mutate('registerModelVersion', { ...open, trainedOn: { table: { name: 'features.plain' } } });
    await this.#mutate('registerModelVersion', { ...open, trainedOn: { table: { name: `secret.${secret}_vault` } } });
    for (const number of [1, 2]) {
      const alias = number === 1 ? 'shown' : secret;
      await this.#mutate('setModelAlias', { model: 'open-model', alias, version: number }, '{ alias { name } }');
    }
    const modelVersion = { model: `${secret}-model`, selector: { number: 1 } };
    await this.#mutate('submitModelVersion', { modelVersion }, '{ modelVersion { id } }');
    await this.#mutate('submitModelVersion', { modelVersion: { model: 'open-model', selector: { number: 2 } } });
    const digest = `{ model(name: "${secret}-model") { version(number: 1) { digest } } }`;
    const expectedDigest = (await this.data('rita', digest)).model.version.digest;
    const review = { modelVersion, expectedDigest, decision: 'APPROVE', meaning: 'Good' };
    await this.#mutate('reviewModelVersion', review, '{ modelVersion { id } }', 'ben');
  }

  async #mutate(name: string, input: object, selection = '{ __typename }', who: Who = 'rita'): Promise<unknown> {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    return (await this.data(who, `mutation ($input: ${type}!) { ${name}(input: $input) ${selection} }`, { input }))[name];
  }

  /** Starts a run and waits for its good end. */
  async #run(name: string, input: object): Promise<void> {
    const { run } = (await this.#mutate(name, input, '{ run { id } }')) as { readonly run: { readonly id: string } };
    const { runs } = this.server.icecore;
    const id = JSON.parse(Buffer.from(run.id, 'base64url').toString())[1] as string;
    const { error, status } = await this.server.icecore.access.asServer(() => runs.ended(id, AbortSignal.timeout(30_000)));
    if (status !== 'SUCCEEDED') throw new Error(`${name} ended as ${status}: ${error}`);
  }

  /** By what the server itself sees: uuids, snapshot ids, locations, and ids of runs that are about hidden things alone. */
  async #traces(): Promise<readonly string[]> {
    const { access, catalog, ledger, runs, tables } = this.server.icecore;
    return await access.asServer(async () => {
      const all = await tables.list({ limit: 1000 });
      const hidden = all.filter(({ identifier }) => identifier.namespace[0] !== 'features');
      const traces = hidden.flatMap(({ uuid, metadata, metadataLocation }) => [
        uuid,
        metadata.location,
        metadataLocation,
        ...metadata.snapshots.flatMap(({ snapshotId, manifestList }) => [String(snapshotId), manifestList]),
      ]);
      const gone = [];
      for (const { row } of (await catalog.journalAfter(0n, 100_000)).entries) {
        const entry = JSON.parse(row) as Readonly<Record<string, unknown>>;
        if (entry.from_name === `secret.${secret}_gone`) gone.push(String(entry.from_uuid), String(entry.from_version));
      }
      if (gone.length === 0) throw new Error('nothing is recorded of the table that is gone');
      await ledger.refresh();
      const { runs: made } = await runs.list({ first: 100 });
      const hiddenRuns = made.filter(
        ({ input, kind }) => kind !== 'MATERIALIZATION' && !JSON.stringify(input).includes('features.'),
      );
      return [...new Set([...traces, ...gone, ...hiddenRuns.map(({ id }) => id)])].filter(
        (trace) => trace !== '' && trace !== 'null',
      );
    });
  }
}
