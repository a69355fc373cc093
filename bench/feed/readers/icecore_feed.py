"""Icecore's Python client, over the feed or the plan."""

from collections.abc import Iterator
from typing import Any

from icecore.arrow import read_training


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    reader = read_training(
        table=options["table"],
        shuffle=options["shuffle"],
        epoch=options["epoch"],
        batch_size=options["batchSize"],
        via=options["via"],
        url=options["url"],
    )
    for batch in reader:
        yield batch.num_rows, batch.nbytes
