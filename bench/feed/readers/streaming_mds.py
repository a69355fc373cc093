"""MosaicML Streaming: shuffled by py1e, resumable, batches of PyTorch tensors from a DataLoader."""

from collections.abc import Iterator
from typing import Any

import torch
from streaming import StreamingDataLoader, StreamingDataset


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    dataset = StreamingDataset(
        local=options["directory"],
        shuffle=True,
        shuffle_algo="py1e",
        batch_size=options["batchSize"],
        num_canonical_nodes=1,
    )
    loader = StreamingDataLoader(dataset, batch_size=options["batchSize"], num_workers=options["workers"])
    for batch in loader:
        tensors = [value for value in batch.values() if isinstance(value, torch.Tensor)]
        yield len(tensors[0]), sum(tensor.nbytes for tensor in tensors)
