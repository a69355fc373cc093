"""Writes the files of one directory again as pyarrow writes them, into another."""

import sys
from pathlib import Path

import pyarrow.parquet as pq

source, target = map(Path, sys.argv[1:])
for path in sorted(source.iterdir()):
    pq.write_table(pq.read_table(path), target / path.name, compression="zstd")
