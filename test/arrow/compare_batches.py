"""Takes rows of blocks with pyarrow, and compares them with batches that were made of them elsewhere; prints the outcome as JSON.

Argument: a folder with a folder a case: `block-N.arrows`, `rows.json` with a [block, row] for each row of the batch, and the batch as
`NONE.arrows`, `LZ4.arrows` and `ZSTD.arrows`.
"""

import json
import sys
from pathlib import Path

import pyarrow as pa


def read(path: Path) -> pa.RecordBatch:
    with pa.ipc.open_stream(path.read_bytes()) as reader:
        batches = list(reader)
    assert len(batches) == 1, path
    return batches[0]


def differences(case: Path) -> list[str]:
    blocks = [read(case / f"block-{index}.arrows") for index in range(len(list(case.glob("block-*"))))]
    before = [sum(block.num_rows for block in blocks[:index]) for index in range(len(blocks))]
    rows = json.loads((case / "rows.json").read_text())
    table = pa.Table.from_batches(blocks)
    indices = pa.array([before[block] + row for block, row in rows], pa.int64())
    expected = [table.column(name).take(indices).combine_chunks() for name in table.column_names]
    found = []
    for compression in ("NONE", "LZ4", "ZSTD"):
        batch = read(case / f"{compression}.arrows")
        batch.validate(full=True)
        if batch.schema != table.schema:
            found.append(f"{case.name} {compression}: schema")
        for name, cells in zip(table.column_names, expected, strict=True):
            if not batch.column(name).equals(cells):
                found.append(f"{case.name} {compression}: {name} {batch.schema.field(name).type}")
    return found


def main(folder: str) -> None:
    cases = sorted(Path(folder).iterdir())
    json.dump({"cases": len(cases), "differences": [text for case in cases for text in differences(case)]}, sys.stdout)


main(*sys.argv[1:])
