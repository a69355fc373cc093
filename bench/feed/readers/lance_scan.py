"""Lance's scan of the same rows, in this process."""

from collections.abc import Iterator
from typing import Any

import lance


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    for batch in lance.dataset(options["directory"]).to_batches(batch_size=options["batchSize"]):
        yield batch.num_rows, batch.nbytes
