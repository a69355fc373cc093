"""Columns whose pages hold numbers just as they are in memory: decompressed, and not assembled by anyone."""

import zlib
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from icecore.page_header import DATA_PAGE, PageHeader, page_header

_BYTES_OF = {"INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8}
#: What a stream lacks of its length, pyarrow leaves as it is in memory: not so with ZSTD, and SNAPPY says its length.
_CODEC_OF = {"UNCOMPRESSED": None, "SNAPPY": "snappy", "ZSTD": "zstd"}
#: RLE and BIT_PACKED are those of the levels.
_ENCODINGS = {"PLAIN", "RLE", "BIT_PACKED"}
_PLAIN, _RLE = 0, 3
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
    width, name = _BYTES_OF[chunk.physical_type], _CODEC_OF[chunk.compression]
    codec = None if name is None else pa.Codec(name)
    pages = []
    at = 0
    try:
        file.seek(chunk.data_page_offset)
        stored = file.read_buffer(chunk.total_compressed_size)
        with memoryview(stored) as view, view.cast("B") as bytes_of:
            while at < stored.size:
                header = page_header(bytes_of, at)
                at = header.end + header.stored_size
                if not (0 < header.values <= rows and 0 <= header.stored_size <= stored.size - header.end):
                    return None
                rows -= header.values
                page = stored.slice(header.end, header.stored_size)
                values = _page_values(page, header, codec, width, is_nullable=schema.max_definition_level > 0)
                if values is None:
                    return None
                pages.append(values)
        return (pages[0] if len(pages) == 1 else np.concatenate(pages)).reshape(-1, width) if rows == 0 else None
    except (ValueError, IndexError, OSError):
        return None


def _page_values(
    page: pa.Buffer, header: PageHeader, codec: pa.Codec | None, width: int, *, is_nullable: bool
) -> NDArray[np.uint8] | None:
    """None where they are no plain ones, or one is null; raises an error, or is None, where the page is damaged."""
    levels = _levels_of_values(header.values) if is_nullable else b""
    is_first = header.kind == DATA_PAGE
    if is_first and is_nullable:
        levels = len(levels).to_bytes(_LENGTH_BYTES, "little") + levels
    # Those of the first version are compressed with the values.
    before, within = (b"", levels) if is_first else (levels, b"")
    size = len(within) + header.values * width
    if (
        header.encoding != _PLAIN
        or (is_first and is_nullable and header.level_encoding != _RLE)
        or (header.level_bytes, header.size) != (len(before), len(before) + size)
        or page.slice(0, len(before)).to_pybytes() != before
        or (header.crc is not None and zlib.crc32(page) != header.crc & 0xFFFFFFFF)
    ):
        return None
    whole = _decompressed(page.slice(len(before)), codec if header.is_compressed else None, size)
    if whole.slice(0, len(within)).to_pybytes() != within:
        return None
    return np.frombuffer(whole, np.uint8, offset=len(within))


def _decompressed(page: pa.Buffer, codec: pa.Codec | None, size: int) -> pa.Buffer:
    """As many bytes as `size`. Raises ValueError, IndexError or OSError where the page has others."""
    if codec is None:
        if page.size != size:
            raise ValueError("A page is not as long as its header says.")
        return page
    if codec.name == "snappy":
        length = _varint(size)
        if page.slice(0, len(length)).to_pybytes() != length:
            raise ValueError("A page is not as long as its header says.")
    return codec.decompress(page, decompressed_size=size)


def _levels_of_values(count: int) -> bytes:
    """Levels of which all are 1, in one run: its length, twice; then the level."""
    return _varint(count << 1) + b"\x01"


def _varint(number: int) -> bytes:
    """A number, 7 bits a byte, the lowest first."""
    written = bytearray()
    while number > 127:
        written.append(128 | number & 127)
        number >>= 7
    written.append(number)
    return bytes(written)
