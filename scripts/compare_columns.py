"""Compares columns that Icecore read of Parquet files, handed over as Arrow, with what PyArrow reads of the same files."""

import glob
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq


def is_same(ours, theirs):
    # By their text, in which NaN is itself, unless Python has no value for one of them, as for dates far away.
    try:
        return ours.equals(theirs) or repr(ours.to_pylist()) == repr(theirs.to_pylist())
    except (OverflowError, ValueError):
        return False


same = 0
for column in json.load(open(sys.argv[1])):
    name = f"{column['file'].split('/')[-1]}, column {column['column']}"
    parts = sorted(glob.glob(column["path"] + ".*"), key=lambda part: int(part.rsplit(".", 1)[1]))
    try:
        theirs = pq.ParquetFile(column["file"]).read().column(column["column"])
    except Exception as error:
        print(f"{name}: PyArrow: {str(error)[:90]}")
        continue
    if not parts and len(theirs) == 0:
        same += 1
        continue
    ours = pa.concat_tables([pa.ipc.open_stream(part).read_all() for part in parts]).column(0)
    try:
        theirs = theirs.cast(ours.type, safe=False)
    except pa.ArrowException:
        pass
    if is_same(ours, theirs):
        same += 1
    else:
        print(f"{name}: DIFFERS: {ours.type}, {theirs.type}: {str(ours)[:200]} / {str(theirs)[:200]}")
print(same, "columns are the same")
