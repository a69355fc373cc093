import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, printJson } from '../../src/iceberg/json.ts';
import type { JsonObject } from '../../src/iceberg/json-member.ts';
import { parseViewMetadata, printViewMetadata, viewMetadataJson } from '../../src/iceberg/view-json.ts';
import type { ViewUpdate } from '../../src/iceberg/view-update.ts';
import {
  parseViewRequirement,
  parseViewUpdate,
  printViewRequirement,
  printViewUpdate,
} from '../../src/iceberg/view-update-json.ts';
import { newView, schemaOf, versionOf } from './sample-view.ts';

/** The worked example of the view specification, its first version. */
const fromTheSpecification = `{
  "view-uuid": "fa6506c3-7681-40c8-86dc-e36561f83385",
  "format-version" : 1,
  "location" : "s3://bucket/warehouse/default.db/event_agg",
  "current-version-id" : 1,
  "properties" : { "comment" : "Daily event counts" },
  "versions" : [ {
    "version-id" : 1, "timestamp-ms" : 1573518431292, "schema-id" : 1,
    "default-catalog" : "prod", "default-namespace" : [ "default" ],
    "summary" : { "engine-name" : "Spark", "engineVersion" : "3.3.2" },
    "representations" : [ { "type" : "sql", "sql" : "SELECT COUNT(1), CAST(event_ts AS DATE) FROM events GROUP BY 2", "dialect" : "spark" } ]
  } ],
  "schemas": [ {
    "schema-id": 1, "type" : "struct",
    "fields" : [ { "id" : 1, "name" : "event_count", "required" : false, "type" : "int", "doc" : "Count of events" },
      { "id" : 2, "name" : "event_date", "required" : false, "type" : "date" } ]
  } ],
  "version-log" : [ { "timestamp-ms" : 1573518431292, "version-id" : 1 } ]
}`;

describe('view metadata', () => {
  it('reads the example of the specification, and prints what means the same', () => {
    const view = parseViewMetadata(fromTheSpecification, 'file:///v1.metadata.json');
    expect(view).toMatchObject({ viewUuid: 'fa6506c3-7681-40c8-86dc-e36561f83385', currentVersionId: 1 });
    expect(view.versions[0]).toMatchObject({ defaultCatalog: 'prod', defaultNamespace: ['default'] });
    expect(parseJson(printViewMetadata(view))).toEqual(parseJson(fromTheSpecification));
  });

  it('keeps members and representations that it does not know', () => {
    const json = { ...viewMetadataJson(newView()), 'max-staleness-ms': 9007199254740993n };
    const view = parseViewMetadata(printJson(json), 'file:///x');
    expect(printViewMetadata(view)).toContain('"max-staleness-ms":9007199254740993');
    const ir = versionOf('x', { representations: [{ type: 'other', json: { type: 'substrait', plan: 'AAA=' } }] });
    const update: ViewUpdate = { action: 'add-view-version', version: ir };
    expect(parseViewUpdate(printViewUpdate(update))).toEqual(update);
  });

  it.each<[string, JsonObject]>([
    ['"view-uuid" is missing', { 'view-uuid': undefined }],
    ['Unsupported format version: 2', { 'format-version': 2 }],
    ['the current version 4 is not among "versions"', { 'current-version-id': 4 }],
    ['schema 0 is not among "schemas"', { schemas: [] }],
    ['"version-log" must be a list', { 'version-log': {} }],
  ])('is refused: %s', (message, members) => {
    const text = printJson({ ...viewMetadataJson(newView()), ...members });
    expect(() => parseViewMetadata(text, 'file:///raw/x.metadata.json')).toThrow(
      expect.objectContaining({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(message) }),
    );
  });
});

describe('any damage to view metadata', () => {
  const whole = viewMetadataJson(newView());
  const names = [
    ...Object.keys(whole),
    'version-id',
    'schema-id',
    'representations',
    'type',
    'sql',
    'fields',
    'timestamp-ms',
    'id',
  ];

  it('is refused as such, or means nothing', () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.jsonValue(), (name, value) => {
        const text = JSON.stringify(whole, (key, member: unknown) => (key === name ? value : member));
        try {
          parseViewMetadata(text, 'file:///x.metadata.json');
        } catch (error) {
          expect(error).toMatchObject({ code: 'FAILED_PRECONDITION' });
        }
      }),
    );
  });
});

describe('view updates', () => {
  it.each<ViewUpdate>([
    { action: 'assign-uuid', uuid: 'fa6506c3-7681-40c8-86dc-e36561f83385' },
    { action: 'upgrade-format-version', formatVersion: 1 },
    { action: 'add-schema', schema: schemaOf('a', 'b') },
    { action: 'set-location', location: 's3://bucket/x' },
    { action: 'set-properties', updates: { comment: 'late flights' } },
    { action: 'remove-properties', removals: ['comment'] },
    { action: 'add-view-version', version: versionOf('SELECT 1', { defaultCatalog: 'prod' }) },
    { action: 'set-current-view-version', versionId: -1 },
  ])('$action comes back from the wire as it went', (update) => {
    expect(parseViewUpdate(parseJson(printJson(printViewUpdate(update))))).toEqual(update);
  });

  it('know neither what is for tables nor what is new', () => {
    expect(() => parseViewUpdate({ action: 'add-snapshot', snapshot: {} })).toThrow('There is no view update add-snapshot.');
    expect(() => parseViewUpdate({ action: 'upgrade-format-version', 'format-version': 2 })).toThrow(
      'Unsupported format version: 2',
    );
    expect(() => parseViewRequirement({ type: 'assert-create' })).toThrow('There is no view requirement assert-create.');
  });

  it('come with the requirement of a uuid', () => {
    const requirement = { type: 'assert-view-uuid', uuid: 'u' } as const;
    expect(parseViewRequirement(printViewRequirement(requirement))).toEqual(requirement);
  });
});
