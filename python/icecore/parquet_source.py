"""Parquet files of a plan, on a disk of this machine or wherever their URLs lead."""

import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from icecore.errors import IcecoreError
from icecore.group_rows import columns_of, is_of
from icecore.http_ranges import HttpRanges
from icecore.plan import PlanGroup, TrainingPlan
from icecore.sparse_file import Held, SparseFile

#: Footers that are kept: the groups of a file are far apart in the order.
_FOOTERS_MAX = 256
#: What is read of a file's end in the hope that it is the whole footer.
_FOOTER_BYTES = 64 * 1024
_MAGIC_BYTES = 8

#: Of a value, as it is stored: 2^16 entries have codes of two bytes, and the entries themselves have to fit in, too.
_CODE_BYTES_MAX = 4

#: Columns that lie so close are read at once, with what is between them.
_GAP_BYTES_MAX = 128 * 1024
#: A column chunk that is longer comes over several connections.
_RANGE_BYTES_MAX = 8 * 1024 * 1024
#: Groups that are fetched before they are asked for, as they are stored.
_AHEAD_BYTES_MAX = 256 * 1024 * 1024
#: Groups that one lane ends and the next one begins in, kept as they are stored: an epoch apart, they are needed twice.
_KEPT_BYTES_MAX = 128 * 1024 * 1024
_CONNECTIONS = 8


class OpenFile(NamedTuple):
    """A file that is open, to pyarrow and as it is."""

    parquet: pq.ParquetFile
    bytes: pa.NativeFile


class _Footer:
    def __init__(self, metadata: pq.FileMetaData, size: int) -> None:
        self.metadata = metadata
        self.size = size


class ParquetSource:
    """Opens files of a plan for one row group each, and keeps the footers of some. Of remote ones, the columns that are
    wanted of a group are fetched together, and those of the next group while one is read."""

    def __init__(self, plan: TrainingPlan, patience_s: float) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._footers: OrderedDict[int, _Footer] = OrderedDict()
        self._http = HttpRanges(plan, patience_s)
        self._groups: ThreadPoolExecutor | None = None
        self._ranges: ThreadPoolExecutor | None = None
        self._ahead: dict[int, Future[list[Held]]] = {}
        self._ahead_bytes = 0
        self._twice: set[int] = set()
        self._kept: dict[int, list[Held]] = {}
        self._kept_bytes = 0

    @contextmanager
    def open(self, place: int) -> Iterator[OpenFile]:
        """The file of a group, until it is left. Raises IcecoreError where it cannot be read, there included."""
        try:
            with self._open(place) as opened:
                yield opened
        except (OSError, pa.ArrowException) as error:
            group = self._plan.groups[place]
            reason = " ".join(str(error).split()).rstrip(".")
            raise IcecoreError(
                "FAILED_PRECONDITION",
                f"Row group {group.ordinal} of {self._plan.files[group.file].path} cannot be read: {reason}. It is "
                "damaged, or out of this machine's reach. Read via='feed'.",
            ) from error

    def expect(self, place: int, *, twice: bool = False) -> None:
        """The group will be opened soon; `twice` where once more, much later."""
        if not _is_remote(self._plan.files[self._plan.groups[place].file].url):
            return
        with self._lock:
            if twice:
                self._twice.add(place)
            if place in self._ahead or place in self._kept or self._ahead_bytes > _AHEAD_BYTES_MAX:
                return
            self._groups = self._groups or ThreadPoolExecutor(_CONNECTIONS, "icecore-groups")
            self._ahead[place] = self._groups.submit(self._fetch_ahead, place)

    def close(self) -> None:
        """Nothing may be open any more."""
        for pool in (self._groups, self._ranges):
            if pool is not None:
                pool.shutdown(wait=True, cancel_futures=True)
        self._ahead.clear()
        self._kept.clear()
        self._http.close()
        self._footers.clear()

    @property
    def is_remote(self) -> bool:
        """Whether any file is."""
        return any(_is_remote(file.url) for file in self._plan.files)

    @contextmanager
    def _open(self, place: int) -> Iterator[OpenFile]:
        group = self._plan.groups[place]
        if not _is_remote(self._plan.files[group.file].url):
            with pa.memory_map(local_path(self._plan.url(group.file))) as file:
                footer = self._footer(group.file, file)
                yield OpenFile(_parquet(file, footer.metadata, group), file)
            return
        with self._lock:
            ahead = self._ahead.pop(place, None)
            kept = self._kept.pop(place, None)
        if ahead is not None:
            parts = ahead.result()
            with self._lock:
                self._ahead_bytes -= sum(part.data.size for part in parts)
        else:
            parts = self._fetch(place) if kept is None else kept
        self._keep(place, parts, was_kept=kept is not None)
        footer = self._footer(group.file)
        file = SparseFile(footer.size, parts, lambda start, stop: self._http.read(group.file, start, stop))
        with pa.PythonFile(file, mode="r") as opened:
            yield OpenFile(_parquet(opened, footer.metadata, group), opened)

    def _keep(self, place: int, parts: list[Held], *, was_kept: bool) -> None:
        size = sum(part.data.size for part in parts)
        with self._lock:
            if was_kept:
                self._kept_bytes -= size
            elif place in self._twice and self._kept_bytes + size <= _KEPT_BYTES_MAX:
                self._kept[place] = parts
                self._kept_bytes += size
            self._twice.discard(place)

    def _fetch_ahead(self, place: int) -> list[Held]:
        parts = self._fetch(place)
        with self._lock:
            self._ahead_bytes += sum(part.data.size for part in parts)
        return parts

    def _fetch(self, place: int) -> list[Held]:
        group = self._plan.groups[place]
        footer = self._footer(group.file)
        ranges = wanted_ranges(
            footer.metadata, group.ordinal, columns_of(footer.metadata.schema.to_arrow_schema(), self._plan)
        )
        with self._lock:
            self._ranges = self._ranges or ThreadPoolExecutor(_CONNECTIONS, "icecore-ranges")
            pool = self._ranges
        cut = [
            (at, min(at + _RANGE_BYTES_MAX, stop))
            for start, stop in ranges
            for at in range(start, stop, _RANGE_BYTES_MAX)
        ]
        fetched = list(pool.map(lambda part: self._http.read(group.file, *part), cut))
        held, begun = [], 0
        for start, stop in ranges:
            count = -(-(stop - start) // _RANGE_BYTES_MAX)
            held.append(Held(start, _joined(fetched[begun : begun + count])))
            begun += count
        return held

    def _footer(self, file: int, local: pa.NativeFile | None = None) -> _Footer:
        with self._lock:
            footer = self._footers.get(file)
            if footer is not None:
                self._footers.move_to_end(file)
                return footer
        footer = self._remote_footer(file) if local is None else _Footer(pq.read_metadata(local), local.size())
        with self._lock:
            self._footers[file] = footer
            while len(self._footers) > _FOOTERS_MAX:
                self._footers.popitem(last=False)
        return footer

    def _remote_footer(self, file: int) -> _Footer:
        end, size = self._http.end(file, _FOOTER_BYTES)
        length, magic = struct.unpack("<I4s", end.slice(max(0, end.size - _MAGIC_BYTES)).to_pybytes().rjust(8))
        if magic != b"PAR1":
            raise IcecoreError(
                "FAILED_PRECONDITION", f"{self._plan.files[file].path} is no Parquet file. Read via='feed'."
            )
        parts = [Held(size - end.size, end)]

        def read(start: int, stop: int) -> pa.Buffer:
            return self._http.read(file, start, stop)

        if length + _MAGIC_BYTES > end.size:
            parts = [Held(size - length - _MAGIC_BYTES, read(size - length - _MAGIC_BYTES, size))]
        with pa.PythonFile(SparseFile(size, parts, read), mode="r") as opened:
            return _Footer(pq.read_metadata(opened), size)


def coded_columns(footer: pq.FileMetaData, ordinal: int) -> list[str]:
    """Columns of texts of which there are so few that their codes are all that is worth reading. Where a file went on
    without its dictionary, its bytes show it."""
    chunks = (footer.row_group(ordinal).column(index) for index in range(footer.num_columns))
    return [
        chunk.path_in_schema
        for chunk in chunks
        if chunk.physical_type == "BYTE_ARRAY"
        and chunk.has_dictionary_page
        and chunk.total_uncompressed_size <= _CODE_BYTES_MAX * chunk.num_values
        and "." not in chunk.path_in_schema
    ]


def wanted_ranges(footer: pq.FileMetaData, ordinal: int, names: Sequence[str]) -> list[tuple[int, int]]:
    """Where the columns of a group lie in their file: ascending, those that are close together as one."""
    chunks = (footer.row_group(ordinal).column(index) for index in range(footer.num_columns))
    spans = sorted(_span(chunk) for chunk in chunks if is_of(chunk.path_in_schema, names))
    ranges: list[tuple[int, int]] = []
    for start, stop in spans:
        if ranges and start - ranges[-1][1] <= _GAP_BYTES_MAX:
            ranges[-1] = (ranges[-1][0], max(ranges[-1][1], stop))
        else:
            ranges.append((start, stop))
    return ranges


def _span(chunk: pq.ColumnChunkMetaData) -> tuple[int, int]:
    starts = [chunk.data_page_offset]
    if chunk.has_dictionary_page and chunk.dictionary_page_offset:
        starts.append(chunk.dictionary_page_offset)
    return min(starts), min(starts) + chunk.total_compressed_size


def _joined(buffers: list[pa.Buffer]) -> pa.Buffer:
    if len(buffers) == 1:
        return buffers[0]
    return pa.py_buffer(b"".join(memoryview(buffer) for buffer in buffers))


def _parquet(file: pa.NativeFile, footer: pq.FileMetaData, group: PlanGroup) -> pq.ParquetFile:
    coded = coded_columns(footer, group.ordinal)
    return pq.ParquetFile(file, metadata=footer, read_dictionary=coded, page_checksum_verification=True)


def _is_remote(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def local_path(url: str) -> str:
    """Of a `file:` URL, or of what is a path already."""
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else url
