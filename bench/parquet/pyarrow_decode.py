"""Decodes all files of a directory with pyarrow's dataset reader, once for each line that says which and with how many threads; prints
the seconds of the processor and of the clock that it took, and the rows."""

import os
import sys
import time

import pyarrow as pa
import pyarrow.dataset as ds

for line in sys.stdin:
    directory, threads = line.split()
    pa.set_cpu_count(int(threads))
    pa.set_io_thread_count(int(threads))
    wall, usage = time.perf_counter(), os.times()
    rows = 0
    for batch in ds.dataset(directory, format="parquet").to_batches(use_threads=int(threads) > 1):
        rows += batch.num_rows
    now = os.times()
    cpu = now.user + now.system - usage.user - usage.system
    print(cpu, time.perf_counter() - wall, rows, flush=True)
