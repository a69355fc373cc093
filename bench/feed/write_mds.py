"""The first rows of Parquet files as MosaicML's shards, all columns but the text.

write_mds.py DIRECTORY ROWS FILE...
"""

import sys

import pyarrow as pa
import pyarrow.parquet as pq
from streaming import MDSWriter

directory, rows_max, files = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
encodings = {"int64": "int64", "double": "float64", "float": "float32", "timestamp[us]": "int64"}
columns = {field.name: encodings[str(field.type)] for field in pq.read_schema(files[0]) if field.name != "origin"}
written = 0
with MDSWriter(out=directory, columns=columns) as writer:
    for file in files:
        table = pq.read_table(file, columns=list(columns)).slice(0, rows_max - written)
        for name in ("at", "updated"):
            table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(pa.int64()))
        # MosaicML has no nulls.
        table = table.set_column(table.schema.get_field_index("v1"), "v1", table["v1"].fill_null(float("nan")))
        for row in table.to_pylist():
            writer.write(row)
        written += table.num_rows
        if written >= rows_max:
            break
