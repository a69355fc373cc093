"""The body of an HTTP response as pyarrow reads it: each read lands where Arrow keeps it."""

import http.client

import pyarrow as pa

from icecore.errors import unreachable

_CHUNK_LINE_BYTES_MAX = 64 * 1024


class ResponseBody:
    """The bytes of a response, read into buffers of Arrow's own memory pool: from the socket, they are copied nowhere.

    pyarrow takes it as a file (`pa.ipc.open_stream`). `http.client` would join the pieces of a chunked body in memory
    first. Raises IcecoreError, retryable, where the body ends before what was asked for; OSError as the socket does.
    """

    closed = False

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._source = response.fp
        self._chunked = bool(response.chunked)
        #: Bytes of the chunk, or of the body where it is not chunked, that are still to come.
        self._left = 0 if self._chunked else response.length
        self._ended = False
        self._first_chunk = True

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        """Leaves the connection to its owner."""

    def read(self, size: int) -> bytes:
        """Fewer bytes than asked for only at the end of the body."""
        data = bytearray(size)
        return bytes(memoryview(data)[: self.readinto(memoryview(data))])

    def read_buffer(self, size: int) -> pa.Buffer:
        """What pyarrow calls for metadata and bodies of messages."""
        buffer = pa.allocate_buffer(size, resizable=True)
        # Without a word on its type a pyarrow buffer is one of signed bytes, which a file cannot be read into.
        filled = self.readinto(memoryview(buffer).cast("B")) if size > 0 else 0
        return buffer if filled == size else buffer.slice(0, filled)

    def readinto(self, target: memoryview) -> int:
        """The bytes that were read: fewer than `target` holds only at the end of the body."""
        done = 0
        while done < len(target) and not self._ended:
            if self._chunked and self._left == 0 and not self._begin_chunk():
                break
            whole = len(target) - done
            wanted = whole if self._left is None else min(whole, self._left)
            if wanted == 0:
                self._ended = True
                break
            count = self._source.readinto(target[done : done + wanted])
            if not count:
                if self._left is None:
                    self._ended = True
                    break
                raise unreachable("The connection to the server ended in the middle of its answer.")
            done += count
            if self._left is not None:
                self._left -= count
        return done

    def _begin_chunk(self) -> bool:
        if not self._first_chunk:
            self._line()
        self._first_chunk = False
        line = self._line()
        try:
            self._left = int(line.partition(b";")[0], 16)
        except ValueError:
            raise unreachable("The server's answer is no chunked body: something on the way to it broke it.") from None
        if self._left == 0:
            self._ended = True
        return not self._ended

    def _line(self) -> bytes:
        line = self._source.readline(_CHUNK_LINE_BYTES_MAX)
        if not line.endswith(b"\n"):
            raise unreachable("The connection to the server ended in the middle of its answer.")
        return line.strip()
