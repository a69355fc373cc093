import type { ParquetColumns } from './parquet-column.ts';
import type { ParquetCodec } from './parquet-page.ts';
import { i32, i64, list, struct, type ThriftValue, text, thriftStruct } from './thrift-writer.ts';

/** Where a row group's columns lie; plain values, so that they can be noted beside a file on its way. */
export interface ParquetGroup {
  readonly rows: number;
  readonly columns: readonly {
    readonly offset: number;
    readonly storedBytes: number;
    readonly plainBytes: number;
    readonly valueCount: number;
  }[];
}

export const parquetMagic = Buffer.from('PAR1');
const [plainEncoding, rleEncoding] = [0, 3];
const codecs: Readonly<Record<ParquetCodec, number>> = { NONE: 0, ZSTD: 6 };

/** What ends a Parquet file: its `FileMetaData`, the length of that, and the magic. */
export function parquetFooter(
  { elements, leaves }: ParquetColumns,
  groups: readonly ParquetGroup[],
  {
    codec,
    rootChildren,
    metadata,
  }: { readonly codec: ParquetCodec; readonly rootChildren: number; readonly metadata: ReadonlyMap<string, string> },
): Uint8Array {
  const chunk = (column: ParquetGroup['columns'][number], index: number): ThriftValue => {
    const leaf = leaves[index];
    if (leaf === undefined) throw new Error(`a row group has a column ${index} too many`);
    const about = struct({
      1: i32(leaf.type.physical),
      2: list('i32', [i32(plainEncoding), i32(rleEncoding)]),
      3: list('binary', leaf.path.map(text)),
      4: i32(codecs[codec]),
      5: i64(column.valueCount),
      6: i64(column.plainBytes),
      7: i64(column.storedBytes),
      9: i64(column.offset),
    });
    return struct({ 2: i64(column.offset), 3: about });
  };
  const rowGroups = groups.map(({ rows, columns }) => {
    const sum = (member: 'plainBytes' | 'storedBytes') => columns.reduce((total, column) => total + column[member], 0);
    const offset = columns[0]?.offset ?? parquetMagic.byteLength;
    return struct({
      1: list('struct', columns.map(chunk)),
      2: i64(sum('plainBytes')),
      3: i64(rows),
      5: i64(offset),
      6: i64(sum('storedBytes')),
    });
  });
  const bytes = thriftStruct({
    1: i32(2),
    2: list('struct', [struct({ 4: text('schema'), 5: i32(rootChildren) }), ...elements]),
    3: i64(groups.reduce((total, { rows }) => total + rows, 0)),
    4: list('struct', rowGroups),
    5: list(
      'struct',
      [...metadata].map(([key, value]) => struct({ 1: text(key), 2: text(value) })),
    ),
    6: text('icecore'),
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.byteLength);
  return Buffer.concat([bytes, length, parquetMagic]);
}
