import { expect } from 'vitest';
import type { Api } from '../../demo/api.ts';
import type { Acknowledged, Journal } from './persistent-api.ts';

/** The mutations that append rows, and what they say. */
interface WriteAnswer {
  readonly writeRows: { readonly rowsAdded: string; readonly snapshot: { readonly snapshotId: string } };
}

/** What a client remembers of what it was told, held against what the server says after it was killed. */
export class Recollection implements Journal {
  readonly #reader: Api;
  readonly #acknowledged: { readonly api: Api; readonly call: Acknowledged }[] = [];
  /** A write that was cut and is not yet repeated, and the rows that its table had after the restart. */
  #cut: { readonly table: string; readonly rowsSeen: bigint } | null = null;
  #inFlight: Pick<Acknowledged, 'operation' | 'variables'> | null = null;
  #hasExpired = false;

  constructor(reader: Api) {
    this.#reader = reader;
  }

  sent(call: Pick<Acknowledged, 'operation' | 'variables'>): void {
    this.#inFlight = call;
    if (call.operation === 'expireSnapshots') this.#hasExpired = true;
  }

  acknowledged(api: Api, call: Acknowledged): void {
    const before = this.#rowsWritten();
    this.#acknowledged.push({ api, call });
    this.#inFlight = null;
    if (this.#cut === null) return;
    // Now that it is known how many rows the cut write has: it was there whole, or not at all.
    const { table, rowsSeen } = this.#cut;
    this.#cut = null;
    expect([before.get(table) ?? 0n, this.#rowsWritten().get(table)], `rows of ${table} after the restart`).toContain(rowsSeen);
  }

  /** Everything that was acknowledged is there, and asking for it again with its key gives the first answer and no second effect. */
  async inspect(): Promise<void> {
    const names = new Set(await this.#tableNames());
    for (const { api, call } of this.#acknowledged) {
      if (call.variables.input.idempotencyKey === undefined || this.#mayBeExpired(call)) continue;
      const again = await api.ask(call.query, call.variables);
      expect(withoutStatus(again), `${call.operation} repeated`).toEqual(withoutStatus(call.answer));
      if (call.operation === 'createTable') expect(names).toContain(call.variables.input.name);
    }
    const cutWrite = this.#inFlight?.operation === 'writeRows' ? String(this.#inFlight.variables.input.table) : null;
    for (const [table, rows] of this.#rowsWritten()) if (table !== cutWrite) expect(await this.#count(table), table).toBe(rows);
    if (cutWrite !== null) this.#cut = { table: cutWrite, rowsSeen: await this.#count(cutWrite) };
    await this.#expectChain();
  }

  /** Each table has one snapshot a write, and nothing was made twice. */
  async expectOneEffectEach(): Promise<void> {
    const { flights, model, trainingSets, featureSets } = await this.#reader.ask<{
      flights: { snapshots: { edges: readonly { node: { snapshotId: string } }[] } };
      model: { versions: { edges: readonly unknown[] } };
      trainingSets: { edges: readonly unknown[] };
      featureSets: { edges: readonly unknown[] };
    }>(`{ flights: table(name: "raw.flights") { snapshots(first: 100) { edges { node { snapshotId } } } }
          model(name: "flight-late") { versions(first: 10) { edges { node { version } } } }
          trainingSets(first: 10) { edges { node { name version } } }
          featureSets(first: 10) { edges { node { name version } } } }`);
    const written = this.#writes('raw.flights').map(({ snapshot }) => snapshot.snapshotId);
    expect(flights.snapshots.edges.map(({ node }) => node.snapshotId).toSorted()).toEqual(written.toSorted());
    for (const made of [model.versions, trainingSets, featureSets]) expect(made.edges).toHaveLength(1);
  }

  async select(statement: string): Promise<readonly unknown[]> {
    const { sql } = await this.#reader.ask<{ sql: { rows: readonly unknown[] } }>(
      'query ($s: String!) { sql(statement: $s) { rows } }',
      {
        s: statement,
      },
    );
    return sql.rows;
  }

  /** What `writeRows` answers with is a snapshot, which may be expired by now. */
  #mayBeExpired({ operation }: Acknowledged): boolean {
    return operation === 'writeRows' && this.#hasExpired;
  }

  #writes(table: string): readonly WriteAnswer['writeRows'][] {
    return this.#acknowledged
      .filter(({ call }) => call.operation === 'writeRows' && call.variables.input.table === table)
      .map(({ call }) => (call.answer as WriteAnswer).writeRows);
  }

  #rowsWritten(): ReadonlyMap<string, bigint> {
    const created = this.#acknowledged.filter(({ call }) => call.operation === 'createTable');
    return new Map(
      created.map(({ call }) => {
        const name = String(call.variables.input.name);
        return [name, this.#writes(name).reduce((sum, { rowsAdded }) => sum + BigInt(rowsAdded), 0n)];
      }),
    );
  }

  async #count(table: string): Promise<bigint> {
    const [row] = (await this.select(`SELECT count(*) AS n FROM ${table}`)) as readonly { n: string }[];
    return BigInt(row?.n ?? -1);
  }

  async #tableNames(): Promise<readonly string[]> {
    const { tables } = await this.#reader.ask<{ tables: { edges: readonly { node: { name: string } }[] } }>(
      '{ tables(first: 100) { edges { node { name } } } }',
    );
    return tables.edges.map(({ node }) => node.name);
  }

  async #expectChain(): Promise<void> {
    const { table } = await this.#reader.ask<{ table: { id: string } | null }>('{ table(name: "raw.flights") { id } }');
    if (table === null) return;
    const { auditTrail } = await this.#reader.ask<{ auditTrail: { chain: { consistent: boolean; firstFault: string | null } } }>(
      'query ($of: ID!) { auditTrail(of: $of) { chain { consistent firstFault } } }',
      { of: table.id },
    );
    expect(auditTrail.chain).toEqual({ consistent: true, firstFault: null });
  }
}

/** A first answer stays as it was but for what its objects have become since. */
function withoutStatus(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value: unknown) => (key === 'status' || key === 'approvedBy' ? undefined : value)),
  );
}
