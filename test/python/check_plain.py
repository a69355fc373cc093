"""Columns as `plain_values` reads them beside what pyarrow reads, of files by many settings of their writer.

check_plain.py FOLDER
Prints how many columns were read plainly, and those that differ.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from icecore.group_rows import sources_of
from icecore.memory import column_memory
from icecore.order import EpochOrder
from icecore.ordered_block import width_of
from icecore.ordered_group import ordered_group
from icecore.parquet_source import OpenFile
from icecore.plain_column import StoredColumn, may_be_plain, plain_values
from icecore.plan import PlanFile, PlanGroup

_ROWS = 6000
_PLAIN_CODECS = ("NONE", "SNAPPY", "ZSTD")


def _table(rows: int) -> pa.Table:
    random = np.random.default_rng(6)
    whole = random.integers(-(2**60), 2**60, rows)
    real = random.normal(size=rows)
    some = random.random(rows) < 0.1
    few = whole % 7
    columns = {
        "whole": pa.array(whole),
        "unsigned": pa.array(whole.astype(np.uint64)),
        "narrow": pa.array(whole.astype(np.int32)),
        "tiny": pa.array(whole.astype(np.int8)),
        "real": pa.array(real),
        "single": pa.array(real.astype(np.float32)),
        "instant": pa.array(whole // 10**6, pa.timestamp("us", "UTC")),
        "milli": pa.array(whole // 10**9, pa.timestamp("ms")),
        "day": pa.array((whole % 20_000).astype(np.int32), pa.date32()),
        "time": pa.array(np.abs(whole) % 10**9, pa.time64("us")),
        "holed": pa.array(real, mask=some),
        "one hole": pa.array(real, mask=np.arange(rows) == rows // 2),
        "few": pa.array(few),
        "price": pa.array(few).cast(pa.decimal128(19, 0)).cast(pa.decimal128(9, 0)),
        "text": pa.array(few).cast(pa.string()),
        "flag": pa.array(some),
        "none": pa.array(real, mask=np.ones(rows, bool)),
        "dotted.name": pa.array(whole),
    }
    columns["pair"] = pa.StructArray.from_arrays([columns["whole"], columns["real"]], ["a", "b"])
    columns["list"] = pa.array([[n] for n in few.tolist()])
    fields = [pa.field(name, column.type) for name, column in columns.items()]
    required = [pa.field(f"must {name}", columns[name].type, nullable=False) for name in ("whole", "single")]
    return pa.table([*columns.values(), columns["whole"], columns["single"]], schema=pa.schema(fields + required))


def _compare(path: Path, said: str) -> tuple[int, list[str]]:
    """How many columns are read plainly, and those that are not what pyarrow reads."""
    plain, wrong = 0, []
    with pa.memory_map(str(path)) as file:
        parquet = pq.ParquetFile(file)
        footer = parquet.metadata
        for group in range(footer.num_row_groups):
            rows = footer.row_group(group).num_rows
            read = parquet.read_row_group(group)
            for index in range(footer.num_columns):
                stored = StoredColumn(footer.row_group(group).column(index), footer.schema.column(index))
                name = stored.chunk.path_in_schema
                width = width_of(read.schema.field(name).type) if name in read.schema.names else None
                if width is None or not may_be_plain(stored, width):
                    continue
                values = plain_values(file, stored, rows)
                column = read.column(name).combine_chunks()
                if values is None:
                    continue
                plain += 1
                wanted = np.frombuffer(column.buffers()[1], np.uint8).reshape(rows, -1)
                if column.null_count > 0 or not np.array_equal(values, wanted):
                    wrong.append(f"{name} of {said}")
    return plain, wrong


def _read_names(path: Path) -> list[str]:
    """The path of a column in its file may be that of another, too."""
    rows = pa.array(range(500))
    inner = pa.StructArray.from_arrays([pa.array(range(500, 1000))], fields=[pa.field("b", pa.int64(), nullable=False)])
    pq.write_table(pa.table({"a.b": rows, "a": inner}), path, use_dictionary=False)
    order = EpochOrder([500], shuffle="NONE")
    file, group = PlanFile("", "", np.empty(0, np.int64), {}), PlanGroup(0, 0, 0, 500, 500)
    with pa.memory_map(str(path)) as opened:
        wanted = pa.schema([pa.field("a.b", pa.int64())])
        blocks = list(order.blocks_of(range(500)))
        of = OpenFile(pq.ParquetFile(opened), opened)
        made = ordered_group(of, wanted, file, group, blocks, column_memory, shuffled=False)
        wrong = [] if np.array_equal(made[0].columns[0].values, rows.to_numpy()) else ["a.b is b of a"]
    # Of columns that share their name, either is found by its id.
    held = [pa.field("x", pa.int64(), metadata={"PARQUET:field_id": str(id)}) for id in (1, 2)]
    return wrong + [
        f"field {id} is not found" for id, each in enumerate(held, 1) if sources_of(held, [each])["x"] != each
    ]


def main() -> None:
    folder = Path(sys.argv[1])
    table = _table(_ROWS)
    wrong: list[str] = []
    plain = 0
    codecs = ("NONE", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4")
    settings = itertools.product(codecs, ("1.0", "2.0"), (False, True), (4096, 1 << 20), (True, False))
    for codec, version, dictionary, page_size, statistics in settings:
        path = folder / "columns.parquet"
        pq.write_table(
            table,
            path,
            compression=codec,
            data_page_version=version,
            use_dictionary=dictionary,
            data_page_size=page_size,
            write_statistics=statistics,
            row_group_size=_ROWS * 2 // 3,
        )
        said = f"{codec}, pages {version} of {page_size}, dictionary {dictionary}, statistics {statistics}"
        count, differ = _compare(path, said)
        if not dictionary and codec in _PLAIN_CODECS and count == 0:
            wrong.append(f"none plain of {said}")
        plain += count
        wrong += differ
    wrong += _read_names(folder / "names.parquet")
    print(f"{plain} plain, {len(wrong)} differ {wrong[:5] if wrong else ''}".strip())


main()
