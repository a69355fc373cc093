import type { DuckDBDecimalType, DuckDBType } from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';

/** How cells of a fixed width get from a vector into an Arrow buffer. */
export interface CellCopy {
  readonly sourceBytes: number;
  readonly targetBytes: number;
  /** Where the two differ: copies `count` cells. Both are little endian. Left out, bytes are copied as they are. */
  readonly convert?: (source: DataView, target: DataView, count: number) => void;
}

const same = (bytes: number): CellCopy => ({ sourceBytes: bytes, targetBytes: bytes });

function each(
  sourceBytes: number,
  targetBytes: number,
  copy: (source: DataView, from: number, target: DataView, to: number) => void,
): CellCopy {
  return {
    sourceBytes,
    targetBytes,
    convert(source, target, count) {
      for (let index = 0; index < count; index++) copy(source, index * sourceBytes, target, index * targetBytes);
    },
  };
}

function setInt128(target: DataView, to: number, value: bigint): void {
  target.setBigInt64(to, BigInt.asIntN(64, value), true);
  target.setBigInt64(to + 8, value >> 64n, true);
}

const multiplied = (factor: bigint) =>
  each(8, 8, (source, from, target, to) => {
    const value = source.getBigInt64(from, true);
    target.setBigInt64(to, BigInt.asIntN(64, value * factor), true);
  });

/** DuckDB keeps a decimal in the fewest bytes that its width fits, Arrow always in sixteen. */
function decimalCopy(width: number): CellCopy {
  if (width <= 4) return each(2, 16, (source, from, target, to) => setInt128(target, to, BigInt(source.getInt16(from, true))));
  if (width <= 9) return each(4, 16, (source, from, target, to) => setInt128(target, to, BigInt(source.getInt32(from, true))));
  if (width <= 18) return each(8, 16, (source, from, target, to) => setInt128(target, to, source.getBigInt64(from, true)));
  return same(16);
}

/** DuckDB keeps a uuid as a signed little-endian integer with its highest bit turned over, so that it sorts; Arrow as its bytes. */
const uuidCopy = each(16, 16, (source, from, target, to) => {
  target.setBigUint64(to, source.getBigUint64(from + 8, true) ^ (1n << 63n), false);
  target.setBigUint64(to + 8, source.getBigUint64(from, true), false);
});

const copies: Partial<Record<DuckDBTypeId, CellCopy>> = {
  [DuckDBTypeId.TINYINT]: each(1, 4, (source, from, target, to) => target.setInt32(to, source.getInt8(from), true)),
  [DuckDBTypeId.SMALLINT]: each(2, 4, (source, from, target, to) => target.setInt32(to, source.getInt16(from, true), true)),
  [DuckDBTypeId.UTINYINT]: each(1, 4, (source, from, target, to) => target.setInt32(to, source.getUint8(from), true)),
  [DuckDBTypeId.USMALLINT]: each(2, 4, (source, from, target, to) => target.setInt32(to, source.getUint16(from, true), true)),
  [DuckDBTypeId.UINTEGER]: each(4, 8, (source, from, target, to) =>
    target.setBigInt64(to, BigInt(source.getUint32(from, true)), true),
  ),
  [DuckDBTypeId.UBIGINT]: each(8, 16, (source, from, target, to) => setInt128(target, to, source.getBigUint64(from, true))),
  [DuckDBTypeId.INTEGER]: same(4),
  [DuckDBTypeId.BIGINT]: same(8),
  [DuckDBTypeId.HUGEINT]: same(16),
  [DuckDBTypeId.FLOAT]: same(4),
  [DuckDBTypeId.DOUBLE]: same(8),
  [DuckDBTypeId.DATE]: same(4),
  [DuckDBTypeId.TIME]: same(8),
  [DuckDBTypeId.TIMESTAMP]: same(8),
  [DuckDBTypeId.TIMESTAMP_TZ]: same(8),
  [DuckDBTypeId.TIMESTAMP_NS]: same(8),
  [DuckDBTypeId.TIMESTAMP_MS]: multiplied(1000n),
  [DuckDBTypeId.TIMESTAMP_S]: multiplied(1_000_000n),
  [DuckDBTypeId.UUID]: uuidCopy,
};

/** Undefined for types that have no fixed width, or no Arrow type. */
export function cellCopyOf(type: DuckDBType): CellCopy | undefined {
  return type.typeId === DuckDBTypeId.DECIMAL ? decimalCopy((type as DuckDBDecimalType).width) : copies[type.typeId];
}
