"""Orders of an epoch of rows in groups of equal size: arrays of each row's place before, in the order after."""

from collections.abc import Callable

import numpy as np
from icecore.order import EpochOrder, Shuffle, Span
from numpy.typing import NDArray
from streaming.base.shuffle.py1e import get_shuffle_py1e

Order = NDArray[np.int64]


def icecore(shuffle: Shuffle, lanes: int, groups: int, group_rows: int, seed: int) -> Order:
    order = EpochOrder([group_rows] * groups, shuffle=shuffle, lanes=lanes, seed=seed)
    addresses = order.read(Span(0, order.rows, 0, order.lanes))
    return addresses.groups.astype(np.int64) * group_rows + addresses.indices


def py1e(block_rows: int, groups: int, group_rows: int, seed: int) -> Order:
    """MosaicML's own code, a shard for each group, on one node."""
    return get_shuffle_py1e(np.full(groups, group_rows), 1, seed, 0, block_rows)


def buffer(size: int, groups: int, group_rows: int, seed: int) -> Order:
    """Rows through a buffer, as tf.data and WebDataset shuffle: a row drawn leaves its place to the next one."""
    random = np.random.default_rng(seed)
    rows = groups * group_rows
    draws = random.integers(size, size=rows - size).tolist()
    held = list(range(size))
    after = np.empty(rows, np.int64)
    for position, (draw, coming) in enumerate(zip(draws, range(size, rows), strict=True)):
        after[position] = held[draw]
        held[draw] = coming
    after[rows - size :] = random.permutation(np.array(held, np.int64))
    return after


def uniform(groups: int, group_rows: int, seed: int) -> Order:
    return np.random.default_rng(seed).permutation(groups * group_rows)


#: By name: of (groups, rows of a group, seed).
ORDERS: dict[str, Callable[[int, int, int], Order]] = {
    "`NONE`": lambda *given: icecore("NONE", 1, *given),
    "`WINDOWED`, 8 lanes": lambda *given: icecore("WINDOWED", 8, *given),
    "`WINDOWED`, 16 lanes": lambda *given: icecore("WINDOWED", 16, *given),
    "`WINDOWED`, 64 lanes": lambda *given: icecore("WINDOWED", 64, *given),
    "`FULL`": lambda *given: icecore("FULL", 1, *given),
    "`py1e`, blocks of 262,144": lambda *given: py1e(1 << 18, *given),
    "`py1e`, blocks of 4,000,000": lambda *given: py1e(4_000_000, *given),
    "buffer of 10,000": lambda *given: buffer(10_000, *given),
    "buffer of 100,000": lambda *given: buffer(100_000, *given),
    "numpy's permutation": uniform,
}
