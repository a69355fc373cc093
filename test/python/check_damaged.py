"""Damaged files: what `plain_values` reads of them beside what pyarrow does, and what a plan's reader says.

check_damaged.py FOLDER
Prints how many of them are read wrongly, and which.
"""

import itertools
import pickle
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from icecore.client import Client
from icecore.errors import IcecoreError
from icecore.feed_input import FeedInput
from icecore.group_rows import group_blocks
from icecore.order import EpochOrder
from icecore.plain_column import StoredColumn, plain_values
from icecore.plan import PlanFile, PlanGroup
from icecore.plan_part import PartGroup, read_part


def _values(file: pa.NativeFile, column: StoredColumn, rows: int) -> bytes | None:
    values = plain_values(file, column, rows)
    return None if values is None else values.tobytes()


def _read_by_pyarrow(data: bytes) -> bytes | None:
    try:
        table = pq.read_table(pa.BufferReader(data), use_threads=False, page_checksum_verification=True)
        column = table.column(0).combine_chunks()
    except (OSError, ValueError):
        return None
    return None if column.null_count > 0 else column.buffers()[1].to_pybytes()


def _read_damaged(path: Path, said: str) -> list[str]:
    """Bytes of a file are changed, one at a time: its values are those that were written, or what pyarrow reads, or
    none, and never an error."""
    whole = path.read_bytes()
    footer = pq.read_metadata(path)
    stored = StoredColumn(footer.row_group(0).column(0), footer.schema.column(0))
    rows = footer.row_group(0).num_rows
    written = _values(pa.BufferReader(whole), stored, rows)
    wrong = [] if written is not None else [f"nothing plain of {said}"]
    first = stored.chunk.data_page_offset
    for at in range(first, first + 64):
        for value in (0, 1, 127, 128, 255, whole[at] ^ 16):
            changed = whole[:at] + bytes([value]) + whole[at + 1 :]
            values = _values(pa.BufferReader(changed), stored, rows)
            if values not in (None, written, _read_by_pyarrow(changed)):
                wrong.append(f"byte {at} as {value} of {said}")
    return wrong


def _zigzag(number: int) -> bytes:
    """Of two bytes."""
    return bytes([128 | number << 1 & 127, number >> 6])


def _read_short(path: Path, codec: str, said: str) -> list[str]:
    """A page whose stream ends before as many values as its header says."""
    random = np.random.default_rng(7)
    table = pa.table(
        {"n": pa.array(random.integers(0, 9, 500))}, pa.schema([pa.field("n", pa.int64(), nullable=False)])
    )
    pq.write_table(table, path, compression=codec, use_dictionary=False, write_statistics=False)
    footer = pq.read_metadata(path)
    stored = StoredColumn(footer.row_group(0).column(0), footer.schema.column(0))
    longer = path.read_bytes()
    for was, now in ((500 * 8, 501 * 8), (500, 501)):
        longer = longer.replace(_zigzag(was), _zigzag(now), 1)
    values = _values(pa.BufferReader(longer), stored, 501)
    return [] if values is None else [f"more than there is of {said}"]


def _read_refused(path: Path) -> list[str]:
    """A page that is not what its checksum says is refused by name."""
    pq.write_table(
        pa.table({"n": pa.array(range(300))}), path, use_dictionary=False, compression="NONE", write_page_checksum=True
    )
    whole = bytearray(path.read_bytes())
    chunk = pq.read_metadata(path).row_group(0).column(0)
    whole[chunk.data_page_offset + chunk.total_compressed_size // 2] ^= 1
    path.write_bytes(whole)
    file = PlanFile("the file", str(path), np.empty(0, np.int64), {})
    placed = EpochOrder([300]).placed(0)
    assert placed is not None
    part = pickle.dumps([PartGroup(file, PlanGroup(0, 0, 0, 300, 300), placed)])
    schema, input = pa.schema([pa.field("n", pa.int64())]), FeedInput(table="t")
    try:
        rows = sum(
            block.num_rows for _, blocks in read_part(part, schema, input, Client(), patience_s=1) for block in blocks
        )
    except IcecoreError as error:
        said = error.message
        is_clear = said.startswith("Row group 0 of the file cannot be read: ") and "\n" not in said
        return [] if is_clear else [f"a damaged file: {said}"]
    return [f"{rows} rows of a damaged file"]


def _read_lacking(path: Path) -> list[str]:
    """A column that the plan says nothing of, and the file does not have, is never taken for null."""
    pq.write_table(pa.table({"n": pa.array(range(300))}), path)
    group, wanted = PlanGroup(0, 0, 0, 300, 300), pa.schema([pa.field("m", pa.int64())])
    read = []
    for constants in ({"m": None}, {}):
        file = PlanFile("the file", str(path), np.empty(0, np.int64), constants)
        try:
            read.append(sum(block.num_rows for block in group_blocks(pq.ParquetFile(path), wanted, file, group)))
        except IcecoreError as error:
            read.append(error.message)
    return [] if read[0] == 300 and "the file lacks the column m" in str(read[1]) else [f"a column too few: {read}"]


def main() -> None:
    folder = Path(sys.argv[1])
    wrong: list[str] = []
    few = pa.array(np.random.default_rng(8).integers(0, 9, 300))
    for codec, version, nullable, checksum in itertools.product(
        ("NONE", "SNAPPY", "ZSTD"), ("1.0", "2.0"), (True, False), (True, False)
    ):
        path = folder / "damaged.parquet"
        said = f"{codec}, pages {version}, {nullable=}, {checksum=}"
        pq.write_table(
            pa.table({"n": few}, pa.schema([pa.field("n", pa.int64(), nullable=nullable)])),
            path,
            compression=codec,
            use_dictionary=False,
            data_page_version=version,
            write_statistics=False,
            write_page_checksum=checksum,
        )
        wrong += _read_damaged(path, said)
    for codec in ("SNAPPY", "ZSTD"):
        wrong += _read_short(folder / "short.parquet", codec, codec)
    wrong += _read_refused(folder / "refused.parquet")
    wrong += _read_lacking(folder / "lacking.parquet")
    print(f"{len(wrong)} wrong {wrong[:5] if wrong else ''}".strip())


main()
