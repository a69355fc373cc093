"""Parquet files of a plan, where they lie on a disk of this machine."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from icecore.plan import PlanGroup, TrainingPlan

#: Footers that are kept: the groups of a file are far apart in the order.
_FOOTERS_MAX = 256

#: Of a value, as it is stored: 2^16 entries have codes of two bytes, and the entries themselves have to fit in, too.
_CODE_BYTES_MAX = 4


class ParquetSource:
    """Opens files of a plan for one row group each, and keeps the footers of some."""

    def __init__(self, plan: TrainingPlan, patience_s: float) -> None:
        self._plan = plan
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._footers: OrderedDict[int, pq.FileMetaData] = OrderedDict()

    @contextmanager
    def open(self, group: PlanGroup) -> Iterator[pq.ParquetFile]:
        """The file, until it is left."""
        with self._lock:
            footer = self._footers.get(group.file)
        with pa.memory_map(local_path(self._plan.url(group.file))) as file:
            footer = footer or pq.read_metadata(file)
            self._keep(group.file, footer)
            yield pq.ParquetFile(file, metadata=footer, read_dictionary=coded_columns(footer, group.ordinal))

    def close(self) -> None:
        self._footers.clear()

    def _keep(self, file: int, footer: pq.FileMetaData) -> None:
        with self._lock:
            self._footers[file] = footer
            self._footers.move_to_end(file)
            while len(self._footers) > _FOOTERS_MAX:
                self._footers.popitem(last=False)


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


def local_path(url: str) -> str:
    parts = urlsplit(url)
    return unquote(parts.path) if parts.scheme == "file" else url
