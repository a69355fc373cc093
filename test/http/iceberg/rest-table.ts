import type { TestServer } from '../test-server.ts';
import { askRest, type RestAnswer } from './rest-client.ts';

export const schemaJson = {
  type: 'struct',
  fields: [
    { id: 7, name: 'id', required: true, type: 'long' },
    { id: 3, name: 'day', required: false, type: 'date' },
    {
      id: 9,
      name: 'place',
      required: false,
      type: { type: 'struct', fields: [{ id: 1, name: 'city', required: false, type: 'string' }] },
    },
  ],
};

/** Makes the namespace too, where it is missing. */
export async function createTable(server: TestServer, namespace: string, name: string, more: object = {}): Promise<RestAnswer> {
  await askRest(server, '/v1/namespaces', { body: { namespace: [namespace] } });
  return await askRest(server, `/v1/namespaces/${namespace}/tables`, { body: { name, schema: schemaJson, ...more } });
}

/** The updates of a client that appends a snapshot to main; `metadata` is what it read before. */
// Metadata is of any shape in tests, as answers are.
// biome-ignore lint/suspicious/noExplicitAny: as above
export function appendUpdates(metadata: any, snapshotId: bigint): readonly object[] {
  const current = metadata['current-snapshot-id'];
  return [
    {
      action: 'add-snapshot',
      snapshot: {
        'snapshot-id': snapshotId,
        ...(current === undefined || current === null || current === -1 ? {} : { 'parent-snapshot-id': current }),
        'sequence-number': metadata['last-sequence-number'] + 1,
        'timestamp-ms': metadata['last-updated-ms'] + 1,
        'manifest-list': `${metadata.location}/metadata/snap-${snapshotId}.avro`,
        summary: { operation: 'append' },
        'schema-id': metadata['current-schema-id'],
      },
    },
    { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': snapshotId },
  ];
}

/** What Java's clients require of a commit that appends. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export function appendRequirements(metadata: any): readonly object[] {
  const current = metadata['current-snapshot-id'];
  return [
    { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
    { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': current === -1 ? null : (current ?? null) },
  ];
}
