"""Appends to one table through a REST catalog, one writer; prints the seconds that they took.

appends.py URI TABLE APPENDS ROWS
"""

import sys
import time

import pyarrow as pa
from pyiceberg.catalog.rest import RestCatalog


def main() -> None:
    uri, name, appends, rows = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    catalog = RestCatalog("bench", uri=uri)
    batch = pa.table({"id": pa.array(range(rows), pa.int64()), "value": pa.array([i / 7 for i in range(rows)], pa.float64())})
    namespace = name.split(".")[0]
    catalog.create_namespace_if_not_exists(namespace)
    table = catalog.create_table_if_not_exists(name, batch.schema)
    table.append(batch)
    started = time.perf_counter()
    for _ in range(appends):
        table.append(batch)
    print(time.perf_counter() - started)


main()
