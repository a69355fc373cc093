"""Prints the rows of Iceberg tables as another reader sees them, in the JSON forms of Icecore's API.

usage: table_rows.py pyiceberg|duckdb REQUESTS.json

A request is {"metadata", "snapshotId", "output"}: the metadata file's location, a snapshot of it as text, or null for the current
one, and the file that gets one JSON object a row.
"""
import base64
import datetime
import decimal
import importlib.util
import json
import math
import pathlib
import sys
import uuid

import pyarrow


def cell(value, kind):
    if value is None:
        return None
    if pyarrow.types.is_struct(kind):
        return {field.name: cell(value[field.name], field.type) for field in kind}
    if pyarrow.types.is_map(kind):
        return [[cell(key, kind.key_type), cell(item, kind.item_type)] for key, item in value]
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return [cell(item, kind.value_type) for item in value]
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if kind.bit_width <= 32 else str(value)
    if isinstance(value, float):
        if math.isnan(value):
            return "NaN"
        if math.isinf(value):
            return "Infinity" if value > 0 else "-Infinity"
        return value
    if isinstance(value, decimal.Decimal):
        return format(value, "f")
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            return value.isoformat()
        return value.astimezone(datetime.timezone.utc).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, (str, uuid.UUID)):
        return str(value)
    raise TypeError(f"{type(value)} of {kind}")


def write(table, output):
    with open(output, "w") as file:
        for batch in table.to_batches():
            for row in batch.to_pylist():
                file.write(json.dumps({field.name: cell(row[field.name], field.type) for field in table.schema}) + "\n")


def read_by_pyiceberg():
    from pyiceberg.table import StaticTable

    def read(metadata, snapshot):
        return StaticTable.from_metadata(metadata).scan(snapshot_id=snapshot).to_arrow()

    return read


def read_by_duckdb():
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name in ["avro", "iceberg"]:
        package = pathlib.Path(importlib.util.find_spec(f"duckdb_extension_{name}").submodule_search_locations[0])
        [extension] = package.rglob("*.duckdb_extension")
        connection.execute(f"LOAD '{extension}'")

    def read(metadata, snapshot):
        at = "" if snapshot is None else f", snapshot_from_id => {snapshot}"
        return connection.execute(f"SELECT * FROM iceberg_scan('{metadata}'{at})").to_arrow_table()

    return read


reader = {"pyiceberg": read_by_pyiceberg, "duckdb": read_by_duckdb}[sys.argv[1]]()
with open(sys.argv[2]) as file:
    requests = json.load(file)
for request in requests:
    snapshot = request["snapshotId"]
    try:
        write(reader(request["metadata"], None if snapshot is None else int(snapshot)), request["output"])
    except Exception as error:
        raise RuntimeError(f"{request['metadata']} at {snapshot}") from error
