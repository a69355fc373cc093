"""Rows of Iceberg tables as PyIceberg sees them, one JSON text a row, with the cells that foreign_spark.py describes."""
import json
import math

import pyarrow
from pyiceberg.catalog import load_catalog


def number(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return "-0" if value == 0 and math.copysign(1, value) < 0 else value


def cell(scalar):
    if not scalar.is_valid:
        return None
    kind = scalar.type
    if pyarrow.types.is_struct(kind):
        return {field.name: cell(scalar[field.name]) for field in kind}
    if pyarrow.types.is_map(kind):
        return {"map": [[cell(pair["key"]), cell(pair["value"])] for pair in scalar.values]}
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return [cell(item) for item in scalar.values]
    if pyarrow.types.is_date(kind):
        return scalar.value
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_time(kind):
        return str(scalar.value)
    value = scalar.as_py()
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if kind.bit_width <= 32 else str(value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, bytes):
        return value.hex()
    if pyarrow.types.is_decimal(kind):
        return format(value, "f")
    return str(value)


def pyiceberg_rows(name, snapshot=None):
    table = catalog.load_table(name).scan(snapshot_id=snapshot).to_arrow()
    columns = [table.column(at).combine_chunks() for at in range(table.num_columns)]
    names = table.column_names
    return [json.dumps({names[at]: cell(column[row]) for at, column in enumerate(columns)}) for row in range(table.num_rows)]
