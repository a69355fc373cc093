"""Upserts rows into a table of PyIceberg's, by `id`; prints the seconds of the upsert alone.

pyiceberg_upsert.py DIRECTORY TABLE.parquet ROWS.parquet
"""

import sys
import time

import pyarrow.parquet as pq
from pyiceberg.catalog.sql import SqlCatalog

directory, table_file, rows_file = sys.argv[1:4]
catalog = SqlCatalog("bench", uri=f"sqlite:///{directory}/pyiceberg.db", warehouse=f"file://{directory}/pyiceberg")
catalog.create_namespace("bench")
whole = pq.read_table(table_file)
table = catalog.create_table("bench.upserted", whole.schema)
table.append(whole)
rows = pq.read_table(rows_file)
started = time.perf_counter()
result = table.upsert(rows, join_cols=["id"])
seconds = time.perf_counter() - started
assert result.rows_updated == rows.num_rows, result
print(seconds)
