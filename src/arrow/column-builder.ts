import type {
  DuckDBArrayType,
  DuckDBEnumType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBType,
} from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';
import type duckdb from '@duckdb/node-bindings';
import { type Data, DataType } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { BooleanColumn } from './boolean-column.ts';
import { FixedBinaryColumn } from './fixed-binary-column.ts';
import { FixedWidthColumn } from './fixed-width-column.ts';
import { ListColumn, NullColumn, StructColumn } from './nested-column.ts';
import { EnumColumn, VariableWidthColumn } from './variable-width-column.ts';
import { cellCopyOf } from './vector-layout.ts';

/** Gathers the cells of one column from the engine's vectors into the buffers of an Arrow column. */
export interface ColumnBuilder {
  /** Copies `count` cells of a vector, beginning with `from`. */
  append(vector: duckdb.Vector, from: number, count: number): void;
  /** The cells copied since the last time, on memory of their own. */
  take(): Data;
}

/** A builder for vectors of a DuckDB type that gives an Arrow type, as `arrowType` and `icebergType` pair them. */
export function columnBuilder(source: DuckDBType, target: DataType): ColumnBuilder {
  if (DataType.isNull(target)) return new NullColumn();
  switch (source.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return new BooleanColumn();
    case DuckDBTypeId.VARCHAR:
    case DuckDBTypeId.BLOB:
      return DataType.isFixedSizeBinary(target) ? new FixedBinaryColumn(target) : new VariableWidthColumn(target);
    case DuckDBTypeId.ENUM:
      return new EnumColumn(source as DuckDBEnumType);
    case DuckDBTypeId.LIST:
      return new ListColumn(target, childBuilder((source as DuckDBListType).valueType, target, 0));
    case DuckDBTypeId.ARRAY: {
      const { valueType, length } = source as DuckDBArrayType;
      return new ListColumn(target, childBuilder(valueType, target, 0), length);
    }
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = source as DuckDBMapType;
      const entries = childType(target, 0);
      const children = [childBuilder(keyType, entries, 0), childBuilder(valueType, entries, 1)];
      return new ListColumn(target, new StructColumn(entries, children));
    }
    case DuckDBTypeId.STRUCT: {
      const { entryTypes } = source as DuckDBStructType;
      return new StructColumn(
        target,
        entryTypes.map((type, index) => childBuilder(type, target, index)),
      );
    }
    default: {
      const copy = cellCopyOf(source);
      if (copy === undefined) throw new IcecoreError('BAD_USER_INPUT', `The SQL type ${source} cannot travel as Arrow. Cast it.`);
      return new FixedWidthColumn(target, copy);
    }
  }
}

function childType(type: DataType, index: number): DataType {
  const child = type.children?.[index]?.type;
  if (child === undefined) throw new IcecoreError('INTERNAL', `The Arrow type ${type} has no child ${index}.`);
  return child;
}

function childBuilder(source: DuckDBType, parent: DataType, index: number): ColumnBuilder {
  return columnBuilder(source, childType(parent, index));
}
