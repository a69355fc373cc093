"""Writes test/iceberg/files/pyiceberg-*: manifests of tables that PyIceberg wrote, and what PyIceberg itself reads in them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install "pyiceberg[pyarrow,sql-sqlite,pyiceberg-core]==0.12.*"
    /tmp/venv/bin/python scripts/golden/pyiceberg_manifests.py
"""

import datetime
import decimal
import json
import pathlib
import shutil
import tempfile

import pyarrow
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.transforms import BucketTransform, DayTransform, IdentityTransform, TruncateTransform
from pyiceberg.types import (
    BinaryType,
    DateType,
    DecimalType,
    DoubleType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestamptzType,
)

target = pathlib.Path(__file__).parents[2] / "test/iceberg/files"
schema = Schema(
    NestedField(1, "id", LongType(), required=False),
    NestedField(2, "name", StringType(), required=False),
    NestedField(3, "ts", TimestamptzType(), required=False),
    NestedField(4, "price", DecimalType(9, 2), required=False),
    NestedField(5, "share", DoubleType(), required=False),
    NestedField(6, "blob", BinaryType(), required=False),
    NestedField(7, "flown on", DateType(), required=False),
    NestedField(8, "n", IntegerType(), required=False),
)
spec = PartitionSpec(
    PartitionField(1, 1000, BucketTransform(4), "id_bucket"),
    PartitionField(2, 1001, TruncateTransform(2), "name_trunc"),
    PartitionField(3, 1002, DayTransform(), "ts_day"),
    PartitionField(4, 1003, IdentityTransform(), "price"),
    PartitionField(7, 1004, IdentityTransform(), "flown on"),
)


def row(number, name, share):
    return {
        "id": number,
        "name": name,
        "ts": datetime.datetime(1969, 12, 31, 23, number, tzinfo=datetime.timezone.utc),
        "price": None if number == 2 else decimal.Decimal("-14.20"),
        "share": share,
        "blob": bytes([number]) * 20,
        "flown on": datetime.date(2001, 1, 1 + number),
        "n": number,
    }


def value(held):
    if isinstance(held, bytes):
        return held.hex()
    if isinstance(held, (datetime.date, decimal.Decimal)):
        return str(held)
    return held


def metrics(held):
    return {str(key): value(each) for key, each in sorted((held or {}).items())}


def entries(manifest, io):
    for entry in manifest.fetch_manifest_entry(io, discard_deleted=False):
        file = entry.data_file
        yield {
            "status": entry.status.name.lower(),
            "snapshotId": str(entry.snapshot_id),
            "sequenceNumber": str(entry.sequence_number),
            "fileSequenceNumber": str(entry.file_sequence_number),
            "filePath": file.file_path,
            "partition": [value(file.partition[place]) for place in range(len(spec.fields))],
            "recordCount": str(file.record_count),
            "fileSizeInBytes": str(file.file_size_in_bytes),
            "valueCounts": metrics(file.value_counts),
            "nullValueCounts": metrics(file.null_value_counts),
            "nanValueCounts": metrics(file.nan_value_counts),
            "columnSizes": metrics(file.column_sizes),
            "lowerBounds": metrics(file.lower_bounds),
            "upperBounds": metrics(file.upper_bounds),
            "splitOffsets": [str(offset) for offset in file.split_offsets or []],
        }


def summaries(manifest):
    return [
        {
            "containsNull": each.contains_null,
            "containsNan": each.contains_nan,
            "lowerBound": value(each.lower_bound),
            "upperBound": value(each.upper_bound),
        }
        for each in manifest.partitions or []
    ]


def write(version, folder):
    catalog = SqlCatalog("golden", uri=f"sqlite:///{folder}/catalog.db", warehouse=f"file://{folder}")
    catalog.create_namespace_if_not_exists("ns")
    table = catalog.create_table(
        f"ns.v{version}", schema=schema, partition_spec=spec, properties={"format-version": str(version)}
    )
    arrow = schema.as_arrow()
    rows = [row(1, "amber", 0.5), row(2, "änderung\U0001f600 weit mehr als sechzehn", None), row(3, "basalt", -0.0)]
    table.append(pyarrow.Table.from_pylist(rows[:2], schema=arrow))
    table.append(pyarrow.Table.from_pylist(rows[2:], schema=arrow))
    table.delete("id == 1")
    io = table.io
    snapshot = table.current_snapshot()
    prefix = f"pyiceberg-v{version}"
    list_name = f"{prefix}-list.avro"
    shutil.copy(snapshot.manifest_list.removeprefix("file://"), target / list_name)
    manifests = []
    for number, manifest in enumerate(snapshot.manifests(io)):
        name = f"{prefix}-m{number}.avro"
        shutil.copy(manifest.manifest_path.removeprefix("file://"), target / name)
        manifests.append(
            {
                "file": name,
                "manifestPath": manifest.manifest_path,
                "manifestLength": str(manifest.manifest_length),
                "sequenceNumber": str(manifest.sequence_number),
                "minSequenceNumber": str(manifest.min_sequence_number),
                "addedSnapshotId": str(manifest.added_snapshot_id),
                "addedFilesCount": manifest.added_files_count,
                "existingFilesCount": manifest.existing_files_count,
                "deletedFilesCount": manifest.deleted_files_count,
                "addedRowsCount": str(manifest.added_rows_count),
                "existingRowsCount": str(manifest.existing_rows_count),
                "deletedRowsCount": str(manifest.deleted_rows_count),
                "partitions": summaries(manifest),
                "entries": list(entries(manifest, io)),
            }
        )
    expected = {"list": list_name, "metadata": json.loads(table.metadata.model_dump_json()), "manifests": manifests}
    (target / f"{prefix}.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


target.mkdir(exist_ok=True)
for version in (1, 2):
    with tempfile.TemporaryDirectory() as folder:
        write(version, folder)
