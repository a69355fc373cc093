import { randomUUID } from 'node:crypto';
import type { Caller } from '../access/caller.ts';
import { requireRole } from '../access/role.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { asLong, asString, type JsonObject, member, optionalMember } from '../iceberg/json-member.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { metricsReportTable } from './metrics-report-table.ts';
import { noSuchTable } from './refusal.ts';

export interface MetricsReportsOptions {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

export interface MetricsReport {
  readonly json: JsonObject;
  /** The same as it came. */
  readonly text: string;
}

/** Snapshot ids that stand for none. */
const noSnapshot = -1n;

/** What engines report of their scans and commits (REST specification: `reportMetrics`): kept as rows of `icecore.metrics_reports`. */
export class MetricsReports {
  readonly #options: MetricsReportsOptions;

  constructor(options: MetricsReportsOptions) {
    this.#options = options;
  }

  /** Durable when it resolves. Throws NOT_FOUND without the table, BAD_USER_INPUT for what is no report. */
  async keep(caller: Caller, identifier: TableIdentifier, { json, text }: MetricsReport): Promise<void> {
    requireRole(caller, 'viewer', 'report metrics');
    const { catalog, clock, ledger } = this.#options;
    const where = 'the report';
    const type = member(json, 'report-type', asString, where);
    if (type !== 'scan-report' && type !== 'commit-report') {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `There is no report-type ${type.slice(0, 80)}; send scan-report or commit-report.`,
      );
    }
    const snapshotId = optionalMember(json, 'snapshot-id', asLong, where) ?? noSnapshot;
    const pointer = await catalog.load(identifier);
    if (pointer === null) throw noSuchTable(identifier);
    const row = {
      id: randomUUID(),
      reported_at: clock.nowMicros(),
      actor_id: caller.actor.id,
      table_uuid: pointer.uuid,
      table_name: printIdentifier(identifier),
      report_type: type,
      snapshot_id: snapshotId === noSnapshot ? null : snapshotId,
      report: text,
    };
    await catalog.commit({ entries: [ledger.draft(metricsReportTable, row)] });
  }
}
