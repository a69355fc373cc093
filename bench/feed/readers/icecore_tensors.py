"""Icecore's dataset for PyTorch: shuffled, resumable, batches of tensors from a DataLoader."""

from collections.abc import Iterator
from typing import Any

from icecore.torch import IcecoreDataset
from torch.utils.data import DataLoader


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    dataset = IcecoreDataset(
        table=options["table"],
        columns=options["columns"],
        shuffle="WINDOWED",
        batch_size=options["batchSize"],
        url=options["url"],
    )
    for batch in DataLoader(dataset, batch_size=None):
        tensors = list(batch.values())
        yield len(tensors[0]), sum(tensor.nbytes for tensor in tensors)
