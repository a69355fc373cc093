"""Ray Data's batches of the Parquet files, on a Ray of this machine that is up before the clock starts."""

from collections.abc import Iterator
from typing import Any

import ray
import ray.data

ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR", configure_logging=True)
ray.data.DataContext.get_current().enable_progress_bars = False


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    dataset = ray.data.read_parquet(options["files"])
    for batch in dataset.iter_batches(batch_format="pyarrow", batch_size=options["batchSize"]):
        yield batch.num_rows, batch.nbytes
