"""Parts of files by HTTP, over connections that are kept."""

import http.client
import re
import ssl
import threading
from collections import defaultdict
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

import pyarrow as pa

from icecore.body import ResponseBody
from icecore.errors import UNREACHABLE, IcecoreError, unreachable
from icecore.patience import Patience

_TIMEOUT_S = 60.0
_REFUSED = (400, 401, 403)


class FileUrls(Protocol):
    """Where files are read from, by their index."""

    def url(self, file: int) -> str: ...

    def renew(self, file: int, url: str) -> None:
        """This one is refused: others are needed."""


class Part(NamedTuple):
    data: pa.Buffer
    #: Of the whole file.
    size: int


class HttpRanges:
    """Reads ranges of files; for several threads at once. What breaks is tried again for `patience_s` seconds, and URLs
    that are refused are asked for anew, once."""

    def __init__(self, urls: FileUrls, patience_s: float) -> None:
        self._urls = urls
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._idle: defaultdict[tuple[str, str], list[http.client.HTTPConnection]] = defaultdict(list)
        self._closed = False

    def read(self, file: int, start: int, stop: int) -> pa.Buffer:
        """Bytes [start, stop). Raises IcecoreError where the file has fewer."""
        data = self._part(file, f"bytes={start}-{stop - 1}").data
        if data.size != stop - start:
            raise _changed(self._urls.url(file), f"has no bytes {start} to {stop}")
        return data

    def end(self, file: int, count: int) -> Part:
        """The last bytes, and how many there are in all."""
        return self._part(file, f"bytes=-{count}")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            connections = [each for idle in self._idle.values() for each in idle]
            self._idle.clear()
        for connection in connections:
            connection.close()

    def _part(self, file: int, wanted: str) -> Part:
        patience = Patience(self._patience_s)
        renewed = False
        while True:
            url = self._urls.url(file)
            try:
                return self._get(url, wanted)
            except _UrlRefused as error:
                if renewed:
                    raise IcecoreError("FORBIDDEN", str(error)) from None
                renewed = True
                self._urls.renew(file, url)
            except IcecoreError as error:
                patience.pause(error, f"A file of the training plan, {_shown(url)}")
            except (OSError, http.client.HTTPException) as error:
                reason = str(error) or type(error).__name__
                patience.pause(
                    unreachable(f"It cannot be read: {reason}."), f"A file of the training plan, {_shown(url)}"
                )

    def _get(self, url: str, wanted: str) -> Part:
        parts = urlsplit(url)
        place = (parts.scheme, parts.netloc)
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        while True:
            connection, is_new = self._connection(place)
            try:
                connection.request("GET", path, headers={"range": wanted, "accept-encoding": "identity"})
                response = connection.getresponse()
                break
            except (ConnectionError, http.client.RemoteDisconnected):
                connection.close()
                # Servers end connections that were idle for a while.
                if is_new:
                    raise
            except BaseException:
                connection.close()
                raise
        try:
            part = _part_of(url, response)
        except BaseException:
            connection.close()
            raise
        with self._lock:
            if not self._closed and not response.chunked and not response.will_close:
                self._idle[place].append(connection)
                return part
        connection.close()
        return part

    def _connection(self, place: tuple[str, str]) -> tuple[http.client.HTTPConnection, bool]:
        """One that is idle, or a new one, and which of these it is."""
        with self._lock:
            if self._idle[place]:
                return self._idle[place].pop(), False
        scheme, host = place
        if scheme == "https":
            return http.client.HTTPSConnection(host, timeout=_TIMEOUT_S, context=ssl.create_default_context()), True
        return http.client.HTTPConnection(host, timeout=_TIMEOUT_S), True


class _UrlRefused(Exception):
    pass


def _part_of(url: str, response: http.client.HTTPResponse) -> Part:
    if response.status == 206:
        whole = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.getheader("content-range", "").strip())
        if whole is None:
            raise _changed(url, "came with no word on which part it is")
        start, end, size = (int(each) for each in whole.groups())
        data = ResponseBody(response).read_buffer(end - start + 1)
        if data.size != end - start + 1:
            raise unreachable("It ended early.")
        # All of the body was read past it; closed, it lets the connection serve again.
        response.close()
        return Part(data, size)
    said = response.read(2000).decode(errors="replace")
    if response.status in _REFUSED:
        raise _UrlRefused(f"{_shown(url)} is refused with status {response.status}: {said}")
    if response.status >= 500 or response.status in (408, 429):
        raise IcecoreError(UNREACHABLE, f"Status {response.status}: {said}", retryable=True)
    if response.status == 404:
        raise _changed(url, "is gone")
    raise IcecoreError(
        "FAILED_PRECONDITION",
        f"{_shown(url)} was answered with status {response.status}, and not with a part of it: {said}",
    )


def _changed(url: str, what: str) -> IcecoreError:
    return IcecoreError(
        "CONFLICT", f"The file {_shown(url)} {what}: it was changed since the plan was made. Begin anew."
    )


def _shown(url: str) -> str:
    """Without its signature."""
    return url.partition("?")[0]
