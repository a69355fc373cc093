"""PyIceberg's scan of the table as Arrow batches."""

from collections.abc import Iterator
from typing import Any

from pyiceberg.table import StaticTable


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for batch in StaticTable.from_metadata(options["metadata"]).scan().to_arrow_batch_reader():
        yield batch.num_rows, batch.nbytes
