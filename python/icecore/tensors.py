"""Columns of record batches as PyTorch tensors, on the same memory where the types allow it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch

from icecore.errors import IcecoreError

_ROWS_AT_ONCE = 4096

#: Numbers of these types are the tensor's elements as they lie in memory; instants count their unit from 1970.
_AS = {
    pa.date32(): pa.int32(),
    pa.time32("s"): pa.int32(),
    pa.time32("ms"): pa.int32(),
    pa.time64("us"): pa.int64(),
    pa.time64("ns"): pa.int64(),
}


def column_tensor(name: str, column: pa.Array, fill: Mapping[str, Any]) -> torch.Tensor:
    """One element a row, or a row of them for lists of equal length.

    Numbers keep their type and, without nulls, share the column's memory: write into them and the batch changes.
    Booleans are copied, instants are whole numbers of their unit (Iceberg's: microseconds). Nulls take the value of
    `fill`, or NaN among floats. Raises IcecoreError, which names the column and the cure, for everything else.
    """
    kind = column.type
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return _list_tensor(name, column, fill)
    if column.null_count > 0:
        column = _without_nulls(name, column, fill)
    if pa.types.is_boolean(kind):
        return torch.from_numpy(column.to_numpy(zero_copy_only=False))
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        return _shared(column.view(pa.int64()))
    if kind in _AS:
        return _shared(column.view(_AS[kind]))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return _shared(column)
    raise _no_tensor(name, kind)


def batch_tensors(batch: pa.RecordBatch, fill: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Each column by its name."""
    return {name: column_tensor(name, column, fill) for name, column in zip(batch.schema.names, batch, strict=True)}


def feature_matrix(
    batch: pa.RecordBatch, features: Sequence[str], fill: Mapping[str, Any], dtype: torch.dtype
) -> torch.Tensor:
    """(rows, features), a row of it in one piece of memory; lists of equal length take a column for each element."""
    columns = [column_tensor(name, batch.column(name), fill) for name in features]
    widths = [1 if column.dim() == 1 else int(column.shape[1]) for column in columns]
    matrix = torch.empty(batch.num_rows, sum(widths), dtype=dtype)
    # A piece at a time stays in the processor's cache while its columns are put side by side.
    for start in range(0, batch.num_rows, _ROWS_AT_ONCE):
        rows = matrix[start : start + _ROWS_AT_ONCE]
        at = 0
        for column, width in zip(columns, widths, strict=True):
            part = column[start : start + _ROWS_AT_ONCE]
            rows[:, at : at + width] = part if column.dim() == 2 else part.unsqueeze(1)
            at += width
    return matrix


def _shared(column: pa.Array) -> torch.Tensor:
    if len(column) == 0:
        return torch.from_numpy(np.empty(0, column.type.to_pandas_dtype()))
    # DLPack hands the memory over as it is; by way of numpy, PyTorch would warn that Arrow's is not to be written.
    return torch.utils.dlpack.from_dlpack(column)


def _list_tensor(name: str, column: pa.Array, fill: Mapping[str, Any]) -> torch.Tensor:
    if column.null_count > 0:
        raise _refused(f"Column {name} has null lists, which no tensor can hold. Say where={name + ' IS NOT NULL'!r}.")
    lengths = pc.unique(pc.list_value_length(column))
    if len(lengths) > 1:
        raise _refused(
            f"The lists of column {name} differ in length, so they are no tensor. Leave it out by columns=[...], or "
            "give transform=, a function of a record batch."
        )
    values = column_tensor(name, column.flatten(), fill)
    return values.reshape(len(column), -1) if len(column) > 0 else values.reshape(0, 0)


def _without_nulls(name: str, column: pa.Array, fill: Mapping[str, Any]) -> pa.Array:
    if name in fill:
        return pc.fill_null(column, pa.scalar(fill[name], column.type))
    if pa.types.is_floating(column.type):
        return pc.fill_null(column, pa.scalar(float("nan"), column.type))
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type) or pa.types.is_temporal(column.type):
        raise _refused(
            f"Column {name} ({column.type}) has nulls, and only floats have NaN for them. Give fill={{{name!r}: ...}}, "
            f"or read where={name + ' IS NOT NULL'!r}."
        )
    raise _no_tensor(name, column.type)


def _no_tensor(name: str, kind: pa.DataType) -> IcecoreError:
    if pa.types.is_decimal(kind):
        cure = "Make it a double where the training set is made, leave it out by columns=[...]"
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind):
        cure = "Encode it as numbers where the training set is made, leave it out by columns=[...]"
    else:
        cure = "Leave it out by columns=[...]"
    return _refused(
        f"Column {name} is {kind}, of which there is no tensor. {cure}, or give transform=, a function of a record "
        "batch."
    )


def _refused(message: str) -> IcecoreError:
    return IcecoreError("BAD_USER_INPUT", message)
