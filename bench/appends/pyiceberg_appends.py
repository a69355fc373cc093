"""Writers of one table in a SQL catalog on SQLite, each a process of its own.

pyiceberg_appends.py DIRECTORY TABLE WRITERS APPENDS ROWS prints a line of JSON: seconds, and how many appends failed after PyIceberg's own retries.
"""

import json
import multiprocessing
import sys
import time

import pyarrow as pa
from pyiceberg.catalog.sql import SqlCatalog


def catalog(directory: str) -> SqlCatalog:
    return SqlCatalog("bench", uri=f"sqlite:///{directory}/pyiceberg.db", warehouse=f"file://{directory}/pyiceberg")


def batch(rows: int) -> pa.Table:
    return pa.table({"id": pa.array(range(rows), pa.int64()), "value": pa.array([i / 7 for i in range(rows)], pa.float64())})


def write(directory: str, name: str, appends: int, rows: int, ready, go, failures) -> None:
    table = catalog(directory).load_table(name)
    data = batch(rows)
    ready.release()
    go.wait()
    for _ in range(appends):
        try:
            table.refresh()
            table.append(data)
        except Exception:
            with failures.get_lock():
                failures.value += 1


def main() -> None:
    directory, name, writers, appends, rows = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
    first = catalog(directory)
    first.create_namespace_if_not_exists(name.split(".")[0])
    first.create_table(name, batch(rows).schema)
    ready, go, failures = multiprocessing.Semaphore(0), multiprocessing.Event(), multiprocessing.Value("i", 0)
    processes = [
        multiprocessing.Process(target=write, args=(directory, name, appends, rows, ready, go, failures)) for _ in range(writers)
    ]
    for process in processes:
        process.start()
    for _ in processes:
        ready.acquire()
    started = time.perf_counter()
    go.set()
    for process in processes:
        process.join()
    seconds = time.perf_counter() - started
    kept = first.load_table(name).scan().to_arrow().num_rows
    print(json.dumps({"seconds": seconds, "failed": failures.value, "rows": kept}))


main()
