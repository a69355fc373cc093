import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, printJson } from '../../src/iceberg/json.ts';
import { currentSchema, currentSnapshot, defaultSpec, refByName } from '../../src/iceberg/metadata.ts';
import { metadataJson, parseMetadata, printMetadata } from '../../src/iceberg/metadata-json.ts';
import { append, newFlights, tag } from './sample-metadata.ts';

const read = (json: unknown) => parseMetadata(printJson(json), 'file:///t/metadata/v1.json');
const asJson = (text: string) => parseJson(text) as Record<string, unknown>;

describe('metadata JSON', () => {
  it.each([1, 2, 3] as const)('of format version %i comes back as it was', (version) => {
    const table = tag(append(newFlights(version), [9223372036854775807n, 2000], [5n, 3000]), 'pin', 5n, 9223372036854775807n);
    // v1 has no sequence numbers to come back.
    const expected =
      version === 1
        ? { ...table, lastSequenceNumber: 0n, snapshots: table.snapshots.map((s) => ({ ...s, sequenceNumber: 0n })) }
        : table;
    expect(parseMetadata(printMetadata(table), 'x')).toEqual(expected);
  });

  it('keeps histories of any ids and times', () => {
    const commits = fc.uniqueArray(
      fc.tuple(fc.bigInt({ min: 1n, max: 2n ** 63n - 1n }), fc.integer({ min: 1000, max: 2 ** 40 })),
      {
        selector: ([id]) => id,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(commits, fc.dictionary(fc.string(), fc.string()), (history, properties) => {
        // A log that goes back in time is refused.
        const inOrder = history.toSorted(([, left], [, right]) => left - right);
        const table = { ...append(newFlights(), ...inOrder), properties };
        expect(parseMetadata(printMetadata(table), 'x')).toEqual(table);
        // Also where parts of it are known from earlier.
        for (const formatVersion of [1, 2] as const) {
          expect(printMetadata({ ...table, formatVersion })).toBe(printJson(metadataJson({ ...table, formatVersion })));
        }
      }),
    );
  });

  it('writes 64-bit ids as bare integers', () => {
    const text = printMetadata(append(newFlights(), [9223372036854775807n, 2000]));
    expect(text).toContain('"current-snapshot-id":9223372036854775807');
    expect(text).toContain('"sequence-number":1');
  });

  it('writes -1 for no snapshot before v3, and null in v3', () => {
    expect(printMetadata(newFlights(2))).toContain('"current-snapshot-id":-1');
    expect(printMetadata(newFlights(3))).toContain('"current-snapshot-id":null');
    expect(read(metadataJson(newFlights(2))).currentSnapshotId).toBeNull();
  });

  it('keeps members that it does not know', () => {
    const json = { ...(metadataJson(newFlights()) as object), statistics: [{ 'snapshot-id': 7 }], 'encryption-keys': [] };
    const table = read(json);
    expect(table.extra).toEqual({ statistics: [{ 'snapshot-id': 7 }], 'encryption-keys': [] });
    expect(asJson(printMetadata(table))).toMatchObject({ statistics: [{ 'snapshot-id': 7 }] });
  });

  it('reads v1 as it was first written: one schema, one spec, no ids, no refs', () => {
    const table = read({
      'format-version': 1,
      location: 's3://bucket/test/location/',
      'last-updated-ms': 1602638573874,
      'last-column-id': 3,
      schema: { type: 'struct', fields: [{ id: 1, name: 'x', required: true, type: 'decimal(9,2)' }] },
      'partition-spec': [{ name: 'x', transform: 'identity', 'source-id': 1 }],
      properties: {},
      'current-snapshot-id': 3051729675574597004n,
      snapshots: [{ 'snapshot-id': 3051729675574597004n, 'timestamp-ms': 1515100955770, manifests: ['a.avro'] }],
    });
    expect(table).toMatchObject({
      formatVersion: 1,
      location: 's3://bucket/test/location',
      lastSequenceNumber: 0n,
      lastPartitionId: 1000,
    });
    expect(currentSchema(table)).toEqual({
      schemaId: 0,
      fields: [{ id: 1, name: 'x', required: true, type: 'decimal(9, 2)' }],
      identifierFieldIds: [],
    });
    expect(defaultSpec(table).fields).toEqual([{ fieldId: 1000, sourceId: 1, name: 'x', transform: 'identity' }]);
    expect(refByName(table, 'main')).toEqual({ type: 'branch', snapshotId: 3051729675574597004n });
    expect(currentSnapshot(table)).toMatchObject({ sequenceNumber: 0n, manifests: ['a.avro'], schemaId: null });
    expect(refByName(table, 'constructor')).toBeUndefined();
  });

  it('refuses what is broken, naming the file', () => {
    const valid = metadataJson(append(newFlights(), [5n, 2000])) as Record<string, unknown>;
    const without = (name: string) => Object.fromEntries(Object.entries(valid).filter(([key]) => key !== name));
    const cases: readonly (readonly [unknown, RegExp])[] = [
      [{ ...valid, 'format-version': 4 }, /format version 4; Icecore reads 1 to 3/],
      [without('table-uuid'), /"table-uuid" is missing/],
      [without('last-sequence-number'), /"last-sequence-number" is missing/],
      [{ ...valid, 'current-schema-id': 9 }, /current schema 9/],
      [{ ...valid, 'default-spec-id': 9 }, /default partition spec 9/],
      [{ ...valid, 'current-snapshot-id': 6 }, /current snapshot is 6, and main is at 5/],
      [{ ...valid, refs: { x: { type: 'tag', 'snapshot-id': 8 } } }, /tag x points to snapshot 8/],
      [{ ...valid, 'last-sequence-number': 0 }, /beyond the last, 0/],
      [{ ...valid, snapshots: 'none' }, /"snapshots" must be a list, and is "none"/],
      [{ ...valid, properties: { a: 1 } }, /"properties": "a" must be a text/],
      [{ ...valid, 'last-column-id': 2 ** 31 }, /32-bit integer/],
      [
        {
          ...valid,
          schemas: [{ type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'v', required: false, type: 'variant' }] }],
        },
        /does not read yet/,
      ],
      [[], /must be an object/],
      [null, /must be an object/],
    ];
    for (const [json, message] of cases) {
      const parse = () => read(json);
      expect(parse).toThrow(message);
      expect(parse).toThrow(
        expect.objectContaining({ code: 'FAILED_PRECONDITION', message: expect.stringContaining('file:///t/metadata/v1.json') }),
      );
    }
    expect(() => parseMetadata('{"format-version":', 'file:///t/x.json')).toThrow(/x\.json cannot be read.*not valid JSON/);
  });

  it('names a wrong member that holds a 64-bit integer', () => {
    const valid = metadataJson(append(newFlights(), [5n, 2000])) as Record<string, unknown>;
    expect(() => read({ ...valid, 'format-version': [9007199254740993n] })).toThrow(/must be .* and is \[9007199254740993\]/);
  });

  it('survives any JSON with an IcecoreError at most', () => {
    const valid = metadataJson(append(newFlights(), [5n, 2000])) as Record<string, unknown>;
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(valid)), fc.jsonValue(), (name, value) => {
        try {
          read({ ...valid, [name]: value });
        } catch (error) {
          expect(error).toMatchObject({ name: 'IcecoreError', code: 'FAILED_PRECONDITION' });
        }
      }),
    );
  });
});
