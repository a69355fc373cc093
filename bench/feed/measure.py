"""Reads all rows once with one reader, and prints what it took as a line of JSON.

measure.py READER OPTIONS
READER is a module of `readers/` whose `batches(options)` yields (rows, bytes) of each batch that a consumer holds;
OPTIONS is JSON. Says `ready` once what it needs is loaded and begins at a line on its input, so that several begin at
once. CPU seconds are those of this process and of children that have ended.
"""

import importlib
import itertools
import json
import os
import resource
import sys
import time


def cpu_seconds() -> tuple[float, float]:
    times = os.times()
    return times.user + times.children_user, times.system + times.children_system


def main() -> None:
    reader, options = sys.argv[1], json.loads(sys.argv[2])
    batches = importlib.import_module(f"readers.{reader}").batches
    print("ready", flush=True)
    sys.stdin.readline()
    user_start, system_start = cpu_seconds()
    # The same clock in every process.
    start = time.clock_gettime(time.CLOCK_MONOTONIC)
    rows = size = 0
    arrivals: list[float] = []
    for batch_rows, batch_bytes in batches(options):
        arrivals.append(time.clock_gettime(time.CLOCK_MONOTONIC))
        rows += batch_rows
        size += batch_bytes
    end = time.clock_gettime(time.CLOCK_MONOTONIC)
    user_end, system_end = cpu_seconds()
    gaps = sorted(after - before for before, after in itertools.pairwise(arrivals))
    figures = {
        "rows": rows,
        "bytes": size,
        "start": start,
        "end": end,
        "firstBatchSeconds": arrivals[0] - start,
        "gapP99Seconds": gaps[int(len(gaps) * 0.99)] if gaps else 0,
        "cpuSeconds": {"user": user_end - user_start, "system": system_end - system_start},
        "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }
    print(json.dumps(figures), flush=True)


main()
