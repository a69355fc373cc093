"""Memory of columns that the collector lets go of while other memory is asked for.

check_memory.py
Prints how many times it was asked for, and how often in vain.
"""

import gc
from typing import Any

import numpy as np
from icecore.memory import ColumnMemory

_BYTES = 64 * 1024
_TIMES = 300


class _Knot:
    """Nobody but the collector lets go of it."""

    def __init__(self, holds: Any) -> None:  # noqa: ANN401
        self.holds = holds
        self.knot = self


def main() -> None:
    memory = ColumnMemory()
    gc.disable()
    free = [memory.numbers(np.uint8, _BYTES) for _ in range(400)]
    held = [memory.numbers(np.uint8, 2 * _BYTES) for _ in range(_TIMES)]
    free.clear()
    failed = 0
    for objects in range(1, _TIMES + 1):
        # With it go the tuples that are kept for use again, so that new ones count.
        gc.collect()
        _Knot(held.pop())
        gc.set_threshold(objects)
        gc.enable()
        try:
            memory.numbers(np.uint8, 1024 * _BYTES)
        except RuntimeError:
            failed += 1
        gc.disable()
    print(f"{_TIMES} times, {failed} in vain")


main()
