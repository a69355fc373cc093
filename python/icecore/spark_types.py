"""Arrow columns as Spark has types for them."""

import pyarrow as pa
import pyarrow.compute as pc


def spark_schema(schema: pa.Schema) -> pa.Schema:
    """The nearest schema of which Spark has all types: a time of day is a long of microseconds, a uuid a text, as
    Iceberg's own runtime for Spark has it, other bytes of a fixed length are bytes, and nanoseconds are cut to
    microseconds."""
    return pa.schema([pa.field(field.name, _spark_type(field.type), field.nullable) for field in schema])


def as_spark(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch with the columns of `spark_schema`."""
    columns = [_as(column, field.type) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _spark_type(kind: pa.DataType) -> pa.DataType:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.string() if kind.extension_name == "arrow.uuid" else _spark_type(kind.storage_type)
    if pa.types.is_time(kind):
        return pa.int64()
    if pa.types.is_fixed_size_binary(kind):
        return pa.binary()
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        return pa.timestamp("us", kind.tz)
    # Spark takes everything within a column for nullable.
    if pa.types.is_list(kind):
        return pa.list_(pa.field(kind.value_field.name, _spark_type(kind.value_type)))
    if pa.types.is_map(kind):
        return pa.map_(_spark_type(kind.key_type), _spark_type(kind.item_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _spark_type(field.type)) for field in kind])
    return kind


def _as(array: pa.Array, kind: pa.DataType) -> pa.Array:
    if array.type == kind:
        return array
    if isinstance(array.type, pa.DictionaryType):
        return _as(array.dictionary_decode(), kind)
    if isinstance(array.type, pa.BaseExtensionType):
        if array.type.extension_name == "arrow.uuid":
            return pa.array([None if value is None else str(value) for value in array.to_pylist()], pa.string())
        return _as(array.storage, kind)
    if pa.types.is_struct(kind):
        children = [_as(array.field(index), kind.field(index).type) for index in range(kind.num_fields)]
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    if pa.types.is_list(kind):
        values = _as(array.values, kind.value_type)
        return pa.ListArray.from_arrays(_offsets(array), values, type=kind, mask=array.is_null())
    if pa.types.is_map(kind):
        keys, items = _as(array.keys, kind.key_type), _as(array.items, kind.item_type)
        return pa.MapArray.from_arrays(_offsets(array), keys, items, type=kind, mask=array.is_null())
    if pa.types.is_timestamp(kind):
        return pc.cast(array, kind, safe=False)
    return array.cast(kind)


def _offsets(array: pa.Array) -> pa.Array:
    """Of an array that may be a slice, as one that is none: a mask goes with no other."""
    return pa.array(array.offsets.to_numpy(), pa.int32())
