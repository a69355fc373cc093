"""Columns whose pages hold numbers just as they are in memory: decompressed, and not assembled by anyone."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from icecore.page_header import DATA_PAGE, DATA_PAGE_V2, PageHeader, page_header

_BYTES_OF = {"INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8}
_CODEC_OF = {"UNCOMPRESSED": None, "SNAPPY": "snappy", "GZIP": "gzip", "BROTLI": "brotli", "ZSTD": "zstd"}
#: RLE and BIT_PACKED are those of the levels.
_ENCODINGS = {"PLAIN", "RLE", "BIT_PACKED"}
_PLAIN, _RLE = 0, 3
#: Those of a page, which are a bit a value or less, are never as many as its values and these.
_LEVELS_BYTES_MAX = 64
#: Of the levels of a page of the first version, before them.
_LENGTH_BYTES = 4


class StoredColumn(NamedTuple):
    """A column of a row group, and what its file says of it."""

    chunk: pq.ColumnChunkMetaData
    schema: pq.ColumnSchema


def may_be_plain(column: StoredColumn, width: type[np.generic]) -> bool:
    """Whether it is worth trying: numbers of the width, stored plainly, of which none is known to be null."""
    chunk, schema = column
    return (
        _BYTES_OF.get(chunk.physical_type) == np.dtype(width).itemsize
        and chunk.compression in _CODEC_OF
        and not chunk.has_dictionary_page
        and _ENCODINGS.issuperset(chunk.encodings)
        and schema.max_repetition_level == 0
        and schema.max_definition_level <= 1
        and not (chunk.is_stats_set and chunk.statistics.has_null_count and chunk.statistics.null_count > 0)
    )


def plain_values(file: pa.NativeFile, column: StoredColumn, rows: int) -> NDArray[np.uint8] | None:
    """The values of a column that may be plain: a row of bytes for each. None where it is not plain, has a null or is
    damaged: whoever reads it with more care will know. They begin anywhere in memory."""
    chunk, schema = column
    try:
        file.seek(chunk.data_page_offset)
        stored = file.read_buffer(chunk.total_compressed_size)
        width = _BYTES_OF[chunk.physical_type]
        name = _CODEC_OF[chunk.compression]
        codec = None if name is None else pa.Codec(name)
        pages = []
        at = 0
        with memoryview(stored) as view, view.cast("B") as bytes_of:
            while at < stored.size:
                header = page_header(bytes_of, at)
                at = header.end + header.stored_size
                if not (0 < header.values <= rows and 0 <= header.stored_size <= stored.size - header.end):
                    return None
                if not 0 <= header.size - header.values * width <= header.values + _LEVELS_BYTES_MAX:
                    return None
                page = _page(stored.slice(header.end, header.stored_size), header, codec)
                begin = _values_begin(page, header, is_nullable=schema.max_definition_level > 0)
                if begin is None:
                    return None
                pages.append(np.frombuffer(page, np.uint8, offset=begin))
        values = (pages[0] if len(pages) == 1 else np.concatenate(pages)).reshape(-1, width)
        return values if len(values) == rows else None
    except (ValueError, IndexError, OSError):
        return None


def _page(stored: pa.Buffer, header: PageHeader, codec: pa.Codec | None) -> pa.Buffer:
    """Without the levels that are not compressed."""
    page, size = stored.slice(header.level_bytes), header.size - header.level_bytes
    if codec is not None and header.is_compressed:
        page = codec.decompress(page, decompressed_size=size)
    if page.size != size:
        raise ValueError("A page is not as long as its header says.")
    return page


def _values_begin(page: pa.Buffer, header: PageHeader, *, is_nullable: bool) -> int | None:
    """Where the values stand in a page of the first version behind levels; None where they are no plain ones."""
    if header.encoding != _PLAIN:
        return None
    if header.kind == DATA_PAGE_V2:
        return 0 if header.nulls == 0 else None
    if header.kind != DATA_PAGE:
        return None
    if not is_nullable:
        return 0
    if header.level_encoding != _RLE:
        return None
    count = int.from_bytes(page.slice(0, _LENGTH_BYTES).to_pybytes(), "little")
    levels = page.slice(_LENGTH_BYTES, count).to_pybytes()
    return _LENGTH_BYTES + count if _is_one_run(levels, header.values) else None


def _is_one_run(levels: bytes, count: int) -> bool:
    """Whether all are 1, in one run: its length, twice, as a number of 7 bits a byte; then the level."""
    run = bytearray()
    rest = count << 1
    while rest > 127:
        run.append(128 | rest & 127)
        rest >>= 7
    run.append(rest)
    return levels == bytes(run) + b"\x01"
