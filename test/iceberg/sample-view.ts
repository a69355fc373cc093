import type { Schema } from '../../src/iceberg/schema.ts';
import type { ViewMetadata, ViewVersion } from '../../src/iceberg/view.ts';
import { applyViewUpdates } from '../../src/iceberg/view-metadata-update.ts';

export function schemaOf(...names: readonly string[]): Schema {
  return {
    schemaId: 0,
    fields: names.map((name, id) => ({ id, name, type: 'string', required: false })),
    identifierFieldIds: [],
  };
}

export function versionOf(sql: string, members: Partial<ViewVersion> = {}): ViewVersion {
  return {
    versionId: 1,
    schemaId: -1,
    timestampMs: 1000,
    summary: { 'engine-name': 'test' },
    representations: [{ type: 'sql', sql, dialect: 'spark' }],
    defaultCatalog: null,
    defaultNamespace: ['raw'],
    ...members,
  };
}

export function newView(sql = 'SELECT 1', properties: Readonly<Record<string, string>> = {}): ViewMetadata {
  return applyViewUpdates(
    null,
    [
      { action: 'assign-uuid', uuid: '0b1a51c0-6e0c-4b9a-8f2f-2c1f1b5c8a11' },
      { action: 'set-location', location: 'file:///warehouse/raw/late/' },
      { action: 'set-properties', updates: properties },
      { action: 'add-schema', schema: schemaOf('a') },
      { action: 'add-view-version', version: versionOf(sql) },
      { action: 'set-current-view-version', versionId: -1 },
    ],
    5000,
  );
}
