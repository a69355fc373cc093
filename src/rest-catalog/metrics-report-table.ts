import type { LedgerTable } from '../ledger/ledger-table.ts';

/** A row of `icecore.metrics_reports`: what an engine said of one scan or commit. */
export type MetricsReportRow = {
  readonly id: string;
  readonly reported_at: bigint;
  readonly actor_id: string;
  readonly table_uuid: string;
  readonly table_name: string;
  readonly report_type: string;
  readonly snapshot_id: bigint | null;
  readonly report: string;
};

export const metricsReportTable: LedgerTable<MetricsReportRow> = {
  name: 'icecore.metrics_reports',
  mode: 'append',
  key: ['id'],
  indexes: [],
  // One for each scan of each engine, a few kilobytes long.
  isIndexed: false,
  // Nothing guards on reports: one subject, since the catalog keeps a line for each.
  subject: () => 'metrics_reports',
  columns: [
    { name: 'id', type: 'string', required: true, doc: 'UUID of the report' },
    { name: 'reported_at', type: 'timestamptz', required: true, doc: 'When it was sent' },
    { name: 'actor_id', type: 'string', required: true, doc: "The credential's subject: a pseudonym" },
    { name: 'table_uuid', type: 'string', required: true, doc: 'The table it is about' },
    { name: 'table_name', type: 'string', required: true, doc: 'Its name when it was sent' },
    { name: 'report_type', type: 'string', required: true, doc: 'scan-report or commit-report' },
    { name: 'snapshot_id', type: 'long', required: false, doc: 'The snapshot that was read or made' },
    { name: 'report', type: 'string', required: true, doc: 'The report as JSON, as it came' },
  ],
};
