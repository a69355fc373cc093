"""The matching rows of a row group, block by block, as the plan's schema has them."""

import base64
import datetime
import uuid
from collections.abc import Collection, Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from icecore.errors import IcecoreError
from icecore.order import BLOCK_ROWS_MAX
from icecore.plan import PlanFile, PlanGroup, TrainingPlan

_FIELD_ID = b"PARQUET:field_id"

_NUMBER_BYTES = 8


def group_blocks(
    parquet: pq.ParquetFile,
    schema: pa.Schema,
    file: PlanFile,
    group: PlanGroup,
    *,
    use_threads: bool = False,
    whole: bool = False,
) -> Iterator[pa.RecordBatch]:
    """Blocks of 65,536 matching rows, the last one of fewer; read as they are asked for. Columns that the file is read
    by dictionary in come as codes of it. `whole` reads all of the group at once.

    Raises IcecoreError where the group has other rows than the plan says.
    """
    sources = sources_of(parquet.schema_arrow, schema)
    names = sorted({source.name for source in sources.values() if source is not None})
    held: list[pa.RecordBatch] = []
    rows = matching = held_rows = 0
    for read in _read(parquet, group, names, use_threads, whole):
        first = group.first_row + rows
        rows += read.num_rows
        kept = _kept(read, first, file)
        if kept.num_rows == 0:
            continue
        matching += kept.num_rows
        columns = [_column(kept, field, sources[field.name], file) for field in schema]
        batch = _batch(columns, schema, kept.num_rows)
        if held_rows == 0 and batch.num_rows == BLOCK_ROWS_MAX:
            yield batch
            continue
        held.append(batch)
        held_rows += batch.num_rows
        while held_rows >= BLOCK_ROWS_MAX:
            joined = _joined(held)
            yield joined.slice(0, BLOCK_ROWS_MAX)
            held_rows -= BLOCK_ROWS_MAX
            held = [joined.slice(BLOCK_ROWS_MAX)] if held_rows > 0 else []
    if rows != group.row_count or matching != group.matching_rows:
        raise IcecoreError(
            "CONFLICT",
            f"Row group {group.ordinal} of {file.path} has {rows} rows, {matching} of which match, and the plan says "
            f"{group.row_count} and {group.matching_rows}: the file was changed. Read via='feed'.",
        )
    if held:
        yield _joined(held)


def columns_of(file: pa.Schema, plan: TrainingPlan) -> list[str]:
    """The columns of a file that a plan wants, by their names in the file."""
    return [source.name for source in sources_of(file, plan.schema).values() if source is not None]


def _read(
    parquet: pq.ParquetFile, group: PlanGroup, names: list[str], use_threads: bool, whole: bool
) -> Iterator[pa.RecordBatch]:
    if names and whole:
        # Half the work of pieces where several groups are read in turn: a page is still at hand when it is copied.
        table = parquet.read_row_group(group.ordinal, columns=names, use_threads=use_threads)
        yield from table.combine_chunks().to_batches()
    elif names:
        yield from parquet.iter_batches(
            BLOCK_ROWS_MAX, row_groups=[group.ordinal], columns=names, use_threads=use_threads
        )
    else:
        # All columns are constants: a batch of nothing says how many rows there are.
        for first in range(0, group.row_count, BLOCK_ROWS_MAX):
            count = min(BLOCK_ROWS_MAX, group.row_count - first)
            yield pa.RecordBatch.from_arrays([pa.nulls(count)], names=[""])


def decoded_bytes(parquet: pq.ParquetFile, group: PlanGroup, schema: pa.Schema) -> int:
    """About as many as columns of a group have once they are read: what is stored, or their numbers if that is more."""
    names = {source.name for source in sources_of(parquet.schema_arrow, schema).values() if source is not None}
    footer = parquet.metadata.row_group(group.ordinal)
    chunks = (footer.column(index) for index in range(footer.num_columns))
    wanted = (chunk for chunk in chunks if is_of(chunk.path_in_schema, names))
    return sum(max(chunk.total_uncompressed_size, _NUMBER_BYTES * chunk.num_values) for chunk in wanted)


def is_of(path: str, names: Collection[str]) -> bool:
    """Whether a leaf of a Parquet file belongs to one of these columns."""
    return path in names or any(path.startswith(f"{name}.") for name in names)


def _kept(read: pa.RecordBatch, first: int, file: PlanFile) -> pa.RecordBatch:
    live = live_mask(file, first, read.num_rows)
    return read if live is None else read.filter(pa.array(live))


def live_mask(file: PlanFile, first: int, count: int) -> NDArray[np.bool_] | None:
    """Which of `count` rows of a file, from `first` on, are not skipped; None where none is."""
    begin, end = np.searchsorted(file.skipped, [first, first + count])
    if begin == end:
        return None
    live = np.ones(count, bool)
    live[file.skipped[begin:end] - first] = False
    return live


def sources_of(held: Iterable[pa.Field], wanted: Iterable[pa.Field]) -> dict[str, pa.Field | None]:
    """The columns of a file that those wanted are, by the names of these: by id, or by name where it knows no ids."""
    fields = list(held)
    by_name = {field.name: field for field in fields}
    by_id = {field.metadata[_FIELD_ID]: field for field in fields if _FIELD_ID in (field.metadata or {})}
    sources = {}
    for field in wanted:
        id = (field.metadata or {}).get(_FIELD_ID)
        sources[field.name] = by_id.get(id) if id is not None and by_id else by_name.get(field.name)
    return sources


def _column(read: pa.RecordBatch, field: pa.Field, source: pa.Field | None, file: PlanFile) -> pa.Array:
    if source is not None:
        return fitted(read.column(source.name), source, field)
    if field.name not in file.constants:
        raise IcecoreError(
            "CONFLICT",
            f"{file.path} lacks the column {field.name}, which it has by the plan: it was changed. Read via='feed'.",
        )
    value = file.constants[field.name]
    if value is None:
        return pa.nulls(read.num_rows, field.type)
    return _repeated(value, field.type, read.num_rows)


def fitted(array: pa.Array, source: pa.Field, target: pa.Field) -> pa.Array:
    """A column as the plan's schema has it: children by their ids, and numbers as wide as they are now."""
    if isinstance(array.type, pa.BaseExtensionType):
        array = array.storage
    kind = target.type
    if array.type == kind or (pa.types.is_dictionary(array.type) and array.type.value_type == kind):
        return array
    if pa.types.is_struct(kind):
        children = []
        for child in kind:
            held = sources_of(array.type, [child])[child.name]
            index = -1 if held is None else array.type.get_field_index(held.name)
            children.append(
                pa.nulls(len(array), child.type) if held is None else fitted(array.field(index), held, child)
            )
        return pa.StructArray.from_arrays(children, fields=list(kind), mask=array.is_null())
    if pa.types.is_list(kind):
        values = fitted(array.values, array.type.value_field, kind.value_field)
        offsets = pa.array(np.asarray(array.offsets))
        return pa.ListArray.from_arrays(offsets, values, type=kind, mask=array.is_null())
    if pa.types.is_map(kind):
        keys = fitted(array.keys, array.type.key_field, kind.key_field)
        items = fitted(array.items, array.type.item_field, kind.item_field)
        offsets = pa.array(np.asarray(array.offsets))
        return pa.MapArray.from_arrays(offsets, keys, items, type=kind, mask=array.is_null())
    return array.cast(kind)


def _repeated(value: object, kind: pa.DataType, count: int) -> pa.Array:
    if isinstance(kind, pa.BaseExtensionType):
        return pa.ExtensionArray.from_storage(kind, _repeated(value, kind.storage_type, count))
    return pa.repeat(_constant(value, kind), count)


def _constant(value: object, kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return _bytes(str(value), kind)
    if pa.types.is_time(kind):
        return pa.scalar(datetime.time.fromisoformat(str(value)), kind)
    # The API writes 64-bit numbers, decimals and instants as text.
    if isinstance(value, str) and not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        text = value.removesuffix("Z") if pa.types.is_timestamp(kind) and kind.tz is None else value
        return pc.cast(pa.scalar(text), kind)
    return pa.scalar(value, kind)


def _bytes(value: str, kind: pa.DataType) -> pa.Scalar:
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16 and value.count("-") == 4:
        return pa.scalar(uuid.UUID(value).bytes, kind)
    return pa.scalar(base64.b64decode(value), kind)


def _batch(columns: list[pa.Array], schema: pa.Schema, row_count: int) -> pa.RecordBatch:
    if not columns:
        return pa.RecordBatch.from_struct_array(pa.Array.from_buffers(pa.struct([]), row_count, [None]))
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


def _joined(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]
