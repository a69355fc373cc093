"""pyarrow.parquet, file by file, each with its threads."""

from collections.abc import Iterator
from typing import Any

import pyarrow.parquet as pq


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for file in options["files"]:
        with pq.ParquetFile(file, pre_buffer=True) as opened:
            for batch in opened.read(use_threads=True).to_batches():
                yield batch.num_rows, batch.nbytes
