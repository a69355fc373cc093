"""Memory for columns that comes back when nobody looks at it any more."""

import mmap
import weakref
from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

#: Shared memory, the default, is dearer to map.
_PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS

_FREE_BYTES_MAX = 128 * 1024 * 1024
#: Whatever is smaller, the allocator is quick with.
_KEPT_BYTES_MIN = 64 * 1024


class ColumnMemory:
    """Hands out arrays, and takes their memory back once they, and all that shares it, are gone: pages that are new
    from the system cost more than what is written to them. Holds 128 MB of free memory at most."""

    def __init__(self) -> None:
        self._free: defaultdict[int, list[NDArray[np.uint8]]] = defaultdict(list)

    def numbers(self, width: type[np.generic], count: int) -> NDArray[np.generic]:
        """An array of unsigned numbers with anything in it."""
        size = count * np.dtype(width).itemsize
        if size < _KEPT_BYTES_MIN:
            return np.empty(count, width)
        room = -(-size // _KEPT_BYTES_MIN) * _KEPT_BYTES_MIN
        try:
            owner = self._free[room].pop()
        except IndexError:
            # Of its own mapping, so that it goes back to the system when it is not kept.
            owner = np.frombuffer(mmap.mmap(-1, room, flags=_PRIVATE), np.uint8)
        array = owner[:size].view(width)
        # What is made of the array holds on to it, not to its owner: `array` is gone when the last of it is.
        shared = np.frombuffer(array.data, width)
        weakref.finalize(shared, self._take_back, owner).atexit = False
        return shared

    def _take_back(self, owner: NDArray[np.uint8]) -> None:
        if owner.nbytes + sum(size * len(arrays) for size, arrays in list(self._free.items())) <= _FREE_BYTES_MAX:
            self._free[owner.nbytes].append(owner)


#: Of this process: one epoch goes on with what the one before it had.
column_memory = ColumnMemory()
