import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentViewSchema, sqlFor, type ViewMetadata, viewVersionById } from '../../src/iceberg/view.ts';
import { parseViewMetadata, printViewMetadata } from '../../src/iceberg/view-json.ts';
import { applyViewUpdates, checkViewRequirements } from '../../src/iceberg/view-metadata-update.ts';
import type { ViewUpdate } from '../../src/iceberg/view-update.ts';
import { newView, schemaOf, versionOf } from './sample-view.ts';

/** What an engine sends to replace a view's query. */
function replacement(sql: string, timestampMs = 2000): readonly ViewUpdate[] {
  return [
    { action: 'add-view-version', version: versionOf(sql, { schemaId: 0, timestampMs }) },
    { action: 'set-current-view-version', versionId: -1 },
  ];
}

function replaced(view: ViewMetadata, ...queries: readonly string[]): ViewMetadata {
  return queries.reduce((metadata, sql) => applyViewUpdates(metadata, replacement(sql), 9000), view);
}

describe('a new view', () => {
  it('begins at version 1 and schema 0, logged at the time of its version', () => {
    const view = newView();
    expect(view).toMatchObject({ formatVersion: 1, location: 'file:///warehouse/raw/late', currentVersionId: 1 });
    expect(view.versionLog).toEqual([{ timestampMs: 1000, versionId: 1 }]);
    expect(currentViewSchema(view)?.fields.map(({ name }) => name)).toEqual(['a']);
  });

  it('needs a uuid, a location and a current version', () => {
    const version: ViewUpdate = { action: 'add-view-version', version: versionOf('SELECT 1') };
    const begun: readonly ViewUpdate[] = [
      { action: 'assign-uuid', uuid: 'u' },
      { action: 'add-schema', schema: schemaOf('a') },
      version,
    ];
    expect(() => applyViewUpdates(null, begun.slice(1), 0)).toThrow('it has no uuid');
    expect(() => applyViewUpdates(null, begun, 0)).toThrow('Invalid location: null');
    const placed: readonly ViewUpdate[] = [...begun, { action: 'set-location', location: '/x' }];
    expect(() => applyViewUpdates(null, placed, 0)).toThrow('none of its versions is the current one');
    const bare = placed.filter(({ action }) => action !== 'add-view-version');
    expect(() => applyViewUpdates(null, bare, 0)).toThrow('Invalid view: no versions were added');
  });
});

describe('a version', () => {
  it('gets the next id, whatever id was sent', () => {
    const view = replaced(newView(), 'SELECT 2');
    expect(view.currentVersionId).toBe(2);
    expect(view.versionLog).toEqual([
      { timestampMs: 1000, versionId: 1 },
      { timestampMs: 2000, versionId: 2 },
    ]);
  });

  it('equal to an earlier one is that one again, current from now on', () => {
    const view = replaced(newView(), 'SELECT 2', 'SELECT 1');
    expect(view.versions.map(({ versionId }) => versionId)).toEqual([1, 2]);
    expect(view.currentVersionId).toBe(1);
    expect(view.versionLog.at(-1)).toEqual({ timestampMs: 9000, versionId: 1 });
  });

  it('equal to the current one changes nothing', () => {
    const view = newView();
    expect(applyViewUpdates(view, replacement('SELECT 1'), 9000)).toBe(view);
    expect(applyViewUpdates(view, [{ action: 'set-properties', updates: {} }], 9000)).toBe(view);
  });

  it('takes the schema that was added last, one that is there already included', () => {
    const add: readonly ViewUpdate[] = [
      { action: 'add-schema', schema: schemaOf('a', 'b') },
      { action: 'add-view-version', version: versionOf('SELECT 2') },
      { action: 'set-current-view-version', versionId: -1 },
    ];
    const view = applyViewUpdates(newView(), add, 0);
    expect(currentViewSchema(view)?.schemaId).toBe(1);
    const back = applyViewUpdates(
      view,
      [
        { action: 'add-schema', schema: { ...schemaOf('a'), schemaId: 7 } },
        { action: 'add-view-version', version: versionOf('SELECT 3') },
      ],
      0,
    );
    expect(back.schemas).toHaveLength(2);
    expect(viewVersionById(back, 3)?.schemaId).toBe(0);
  });

  it.each<[string, readonly ViewUpdate[]]>([
    ['Cannot set last added schema: no schema has been added', [{ action: 'add-view-version', version: versionOf('x') }]],
    ['Cannot add version with unknown schema: 8', [{ action: 'add-view-version', version: versionOf('x', { schemaId: 8 }) }]],
    ['Cannot set current version to unknown version: 5', [{ action: 'set-current-view-version', versionId: 5 }]],
    ['Cannot set last version id: no current version id has been set', [{ action: 'set-current-view-version', versionId: -1 }]],
    ['Cannot reassign uuid', [{ action: 'assign-uuid', uuid: '3d1b7f86-8a1a-4c31-b16f-5b0df3b1b6b2' }]],
    [
      'version.history.num-entries must be positive but was 0',
      [{ action: 'set-properties', updates: { 'version.history.num-entries': '0' } }],
    ],
  ])('is refused: %s', (message, updates) => {
    expect(() => applyViewUpdates(newView(), updates, 0)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringContaining(message) }),
    );
  });
});

describe('dialects', () => {
  const trino = { type: 'sql', sql: 'SELECT 1', dialect: 'Trino' } as const;

  it('have one query each, whatever their case', () => {
    const twins = versionOf('x', { schemaId: 0, representations: [trino, { ...trino, dialect: 'trino', sql: 'SELECT 2' }] });
    expect(() => applyViewUpdates(newView(), [{ action: 'add-view-version', version: twins }], 0)).toThrow(
      'Invalid view version: Cannot add multiple queries for dialect trino',
    );
  });

  it('may be lost only where the properties say so', () => {
    const updates: readonly ViewUpdate[] = [
      { action: 'add-view-version', version: versionOf('x', { schemaId: 0, representations: [trino] }) },
      { action: 'set-current-view-version', versionId: -1 },
    ];
    expect(() => applyViewUpdates(newView(), updates, 0)).toThrow(
      'Cannot replace view due to loss of view dialects (replace.drop-dialect.allowed=false):\n' +
        'Previous dialects: [spark]\nNew dialects: [trino]',
    );
    const view = applyViewUpdates(newView('SELECT 1', { 'replace.drop-dialect.allowed': 'true' }), updates, 0);
    const current = viewVersionById(view, 2);
    expect(current && sqlFor(current, 'trino')).toBe('SELECT 1');
    expect(current && sqlFor(current, 'spark')).toBeNull();
  });
});

describe('history', () => {
  const queries = Array.from({ length: 15 }, (_, index) => `SELECT ${index + 2}`);

  it('keeps ten versions, and as many as the property says', () => {
    const ids = (view: ViewMetadata) => view.versions.map(({ versionId }) => versionId);
    expect(ids(replaced(newView(), ...queries))).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
    expect(ids(replaced(newView('SELECT 1', { 'version.history.num-entries': '2' }), ...queries))).toEqual([15, 16]);
  });

  it('keeps the current version, however old, and the log from behind the last gap', () => {
    const view = replaced(newView('SELECT 1', { 'version.history.num-entries': '2' }), 'SELECT 2', 'SELECT 1', 'SELECT 3');
    expect(view.versions.map(({ versionId }) => versionId)).toEqual([2, 3]);
    const back = applyViewUpdates(view, [{ action: 'set-current-view-version', versionId: 2 }], 9000);
    const more = applyViewUpdates(back, replacement('SELECT 9').slice(0, 1), 9000);
    expect(more.versions.map(({ versionId }) => versionId)).toEqual([2, 4]);
    expect(more.versionLog).toEqual([{ timestampMs: 9000, versionId: 2 }]);
  });
});

describe('requirements', () => {
  it('know the view by its uuid', () => {
    const view = newView();
    checkViewRequirements(view, [{ type: 'assert-view-uuid', uuid: view.viewUuid.toUpperCase() }]);
    expect(() => checkViewRequirements(view, [{ type: 'assert-view-uuid', uuid: 'other' }])).toThrow(
      expect.objectContaining({
        code: 'CONFLICT',
        message: expect.stringContaining('Requirement failed: view UUID does not match'),
      }),
    );
  });
});

describe('any history of changes', () => {
  const anyUpdates: fc.Arbitrary<readonly ViewUpdate[]> = fc.oneof(
    fc.nat(12).map((query) => replacement(`SELECT ${query}`)),
    fc.nat(12).map((query) => replacement(`SELECT ${query}`).slice(0, 1)),
    fc.subarray(['a', 'b', 'c'], { minLength: 1 }).map((names): readonly ViewUpdate[] => [
      { action: 'add-schema', schema: schemaOf(...names) },
      { action: 'add-view-version', version: versionOf(`SELECT ${names.join()}`) },
      { action: 'set-current-view-version', versionId: -1 },
    ]),
    fc
      .integer({ min: 1, max: 5 })
      .map((size): readonly ViewUpdate[] => [
        { action: 'set-properties', updates: { 'version.history.num-entries': String(size) } },
      ]),
    fc.constant<readonly ViewUpdate[]>([{ action: 'remove-properties', removals: ['version.history.num-entries'] }]),
  );

  it('ends in metadata that holds together, and reads back as it was written', () => {
    fc.assert(
      fc.property(fc.array(anyUpdates, { maxLength: 40 }), (history) => {
        let view = newView();
        let versionsAdded = 1;
        for (const updates of history) {
          const before = view;
          view = applyViewUpdates(view, updates, 9000);
          versionsAdded += updates.filter(({ action }) => action === 'add-view-version').length;
          const ids = view.versions.map(({ versionId }) => versionId);
          const size = Number(view.properties['version.history.num-entries'] ?? 10);
          expect(new Set(ids).size).toBe(ids.length);
          expect(ids).toContain(view.currentVersionId);
          expect(Math.max(...ids)).toBeLessThanOrEqual(versionsAdded);
          // One commit may add one version beside the current one here.
          expect(ids.length).toBeLessThanOrEqual(Math.max(size, 2));
          expect(view.versionLog.every(({ versionId }) => ids.includes(versionId))).toBe(true);
          expect(view.versionLog.at(-1)?.versionId).toBe(view.currentVersionId);
          expect(view.schemas.length).toBeGreaterThanOrEqual(before.schemas.length);
          expect(currentViewSchema(view)).toBeDefined();
          expect(applyViewUpdates(view, updates.slice(0, 1), 9000).schemas).toEqual(view.schemas);
        }
        expect(parseViewMetadata(printViewMetadata(view), 'file:///x.metadata.json')).toEqual(view);
      }),
      { numRuns: 200 },
    );
  });
});
