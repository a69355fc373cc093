"""Where the rows of a group stand in the order of an epoch: the order read backwards, group by group."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from icecore.order import BLOCK_ROWS_MAX, PlacedGroup, Shuffle, shuffled_block
from icecore.permutation import Purpose, order_words, unpermute


@dataclass(frozen=True)
class GroupPositions:
    """What the positions of an epoch's rows follow from, besides where their groups lie in its sequence."""

    #: Of the whole epoch.
    rows: int
    shuffle: Shuffle
    seed: int
    epoch: int
    lanes: int

    def blocks(self, group: PlacedGroup) -> Iterator[NDArray[np.int64]]:
        """For each block of a group, the positions of its rows in the order of their indices."""
        purpose: Purpose = "all" if self.shuffle == "FULL" else "rows"
        words = order_words(purpose, self.seed, self.epoch)
        for base in range(0, group.rows, BLOCK_ROWS_MAX):
            count = min(BLOCK_ROWS_MAX, group.rows - base)
            start = group.start + base
            rows = np.arange(start, start + count, dtype=np.int64)
            if self.shuffle == "FULL":
                yield unpermute(rows.astype(np.uint64), self.rows, words).astype(np.int64)
            elif self.shuffle == "NONE":
                yield rows
            else:
                indices = shuffled_block(words, group.first_block + base // BLOCK_ROWS_MAX, count)
                positions = np.empty(count, np.int64)
                positions[indices] = self._of_rows(rows)
                yield positions

    def _of_rows(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Rows of the sequence: row r of lane l stands at r * lanes + l."""
        even, extra = divmod(self.rows, self.lanes)
        numbers = np.arange(self.lanes, dtype=np.int64)
        starts = numbers * even + np.minimum(numbers, extra)
        lane = np.searchsorted(starts, rows, side="right") - 1
        positions: NDArray[np.int64] = (rows - starts[lane]) * self.lanes + lane
        return positions
