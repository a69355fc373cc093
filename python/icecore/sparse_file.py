"""A file of which some parts are at hand."""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pyarrow as pa


class Held(NamedTuple):
    """Bytes of a file from `start` on."""

    start: int
    data: pa.Buffer

    @property
    def stop(self) -> int:
        return self.start + int(self.data.size)


class SparseFile:
    """What pyarrow reads as a file: the parts that are held, without a copy, and by `read_range` whatever is not."""

    closed = False

    def __init__(self, size: int, parts: Sequence[Held], read_range: Callable[[int, int], pa.Buffer]) -> None:
        self._size = size
        self._parts = list(parts)
        self._read_range = read_range
        self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._parts.clear()

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        return bytes(memoryview(self.read_buffer(size)))

    def read_buffer(self, size: int = -1) -> pa.Buffer:
        start = self._at
        stop = self._size if size < 0 else min(start + size, self._size)
        self._at = max(start, stop)
        if stop <= start:
            return pa.py_buffer(b"")
        for part in self._parts:
            if part.start <= start and stop <= part.stop:
                return part.data.slice(start - part.start, stop - start)
        return self._read_range(start, stop)
