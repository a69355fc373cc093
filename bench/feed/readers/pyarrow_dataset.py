"""pyarrow's dataset reader, with its threads or with one."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    if not options["threads"]:
        pa.set_cpu_count(1)
    for batch in ds.dataset(options["files"], format="parquet").to_batches(use_threads=options["threads"]):
        yield batch.num_rows, batch.nbytes
