"""What stands before each page of a Parquet file: a structure of Thrift's compact protocol."""

from typing import NamedTuple

DATA_PAGE = 0
DATA_PAGE_V2 = 3

#: The number of a field, in the structures of parquet.thrift.
_TYPE, _SIZE, _STORED_SIZE, _CRC, _DATA, _DATA_V2 = 1, 2, 3, 4, 5, 8
_VALUES, _ENCODING, _LEVELS = 1, 2, 3
_V2_ENCODING, _V2_LEVEL_BYTES, _V2_REPETITION_BYTES, _V2_COMPRESSED = 4, 5, 6, 7

_DEPTH_MAX = 8

Struct = dict[int, "int | Struct"]


class PageHeader(NamedTuple):
    kind: int
    #: Of the page, before and after it was compressed.
    size: int
    stored_size: int
    #: CRC-32 of the page as it is stored, signed; None where there is none.
    crc: int | None
    #: Those that are null included.
    values: int
    encoding: int
    #: How the definition levels of a page of the first version are stored.
    level_encoding: int
    #: Of levels that stand before the values uncompressed, in pages of the second version.
    level_bytes: int
    is_compressed: bool
    #: Where the page itself begins.
    end: int


def page_header(data: memoryview, start: int) -> PageHeader:
    """The header of the page of data at `start`. Raises ValueError or IndexError where there is none."""
    said, end = _struct(data, start, 0)
    kind = _number(said, _TYPE)
    second = kind == DATA_PAGE_V2
    page = said.get(_DATA_V2 if second else _DATA)
    if kind not in (DATA_PAGE, DATA_PAGE_V2) or not isinstance(page, dict):
        raise ValueError("This is the header of no page of data.")
    return PageHeader(
        kind=kind,
        size=_number(said, _SIZE),
        stored_size=_number(said, _STORED_SIZE),
        crc=_number(said, _CRC) if _CRC in said else None,
        values=_number(page, _VALUES),
        encoding=_number(page, _V2_ENCODING if second else _ENCODING),
        level_encoding=0 if second else _number(page, _LEVELS),
        level_bytes=_number(page, _V2_LEVEL_BYTES) + _number(page, _V2_REPETITION_BYTES) if second else 0,
        is_compressed=not second or _number(page, _V2_COMPRESSED, 1) == 1,
        end=end,
    )


def _number(struct: Struct, field: int, default: int | None = None) -> int:
    value = struct.get(field, default)
    if not isinstance(value, int):
        raise ValueError("A page's header is none.")
    return value


def _struct(data: memoryview, at: int, depth: int) -> tuple[Struct, int]:
    if depth > _DEPTH_MAX:
        raise ValueError("A page's header is none.")
    fields: Struct = {}
    field = 0
    while True:
        head = data[at]
        at += 1
        if head == 0:
            return fields, at
        if head >> 4:
            field += head >> 4
        else:
            field, at = _zigzag(data, at)
        kind = head & 15
        if kind in (1, 2):
            fields[field] = 2 - kind
        elif kind == 3:
            at += 1
        elif kind == 5:
            fields[field], at = _zigzag(data, at)
        elif kind in (4, 6):
            # Other widths than those of what is asked for.
            _, at = _varint(data, at)
        elif kind == 8:
            # Bounds of the values, in statistics: nobody asks for them.
            size, at = _varint(data, at)
            at += size
        elif kind == 12:
            fields[field], at = _struct(data, at, depth + 1)
        else:
            raise ValueError(f"A page's header has a field of type {kind}.")


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("A page's header is none.")


def _zigzag(data: memoryview, at: int) -> tuple[int, int]:
    value, at = _varint(data, at)
    return (value >> 1) ^ -(value & 1), at
