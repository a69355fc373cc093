"""Writes Parquet files in every way that PyArrow knows, and beside each what PyArrow itself reads of it, as Arrow."""

import datetime
import decimal
import glob
import json
import os
import random
import shutil
import sys

import pyarrow as pa
import pyarrow.parquet as pq

folder, foreign = sys.argv[1:]


def field(name, type_, id_):
    return pa.field(name, type_, metadata={"PARQUET:field_id": str(id_)})


FLAT = [
    ("boolean", pa.bool_(), lambda r: r.random() < 0.5),
    ("int", pa.int32(), lambda r: r.choice([r.randint(-(2**31), 2**31 - 1), r.randint(0, 20)])),
    ("long", pa.int64(), lambda r: r.choice([r.randint(-(2**63), 2**63 - 1), r.randint(-9, 9), 2**63 - 1, -(2**63)])),
    ("float", pa.float32(), lambda r: r.choice([r.random(), float("nan"), float("-inf"), -0.0, 1.5])),
    ("double", pa.float64(), lambda r: r.choice([r.gauss(0, 1e9), float("nan"), float("inf"), -0.0, 2.5])),
    ("date", pa.date32(), lambda r: datetime.date(1970, 1, 1) + datetime.timedelta(r.randint(-100000, 100000))),
    ("time", pa.time64("us"), lambda r: r.randint(0, 86_399_999_999)),
    ("timestamp", pa.timestamp("us"), lambda r: r.randint(-(10**15), 10**15)),
    ("timestamptz", pa.timestamp("us", "UTC"), lambda r: r.randint(-(10**15), 10**15)),
    ("timestamp_ns", pa.timestamp("ns"), lambda r: r.randint(-(10**18), 10**18)),
    ("string", pa.string(), lambda r: r.choice(["", "a", "äöü€😀", "x" * r.randint(0, 90), str(r.randint(0, 300))])),
    ("binary", pa.binary(), lambda r: r.randbytes(r.randint(0, 40))),
    ("fixed[5]", pa.binary(5), lambda r: r.randbytes(5)),
    ("uuid", pa.binary(16), lambda r: r.randbytes(16)),
    ("decimal(7, 2)", pa.decimal128(7, 2), lambda r: decimal.Decimal(r.randint(-(10**7) + 1, 10**7 - 1)).scaleb(-2)),
    ("decimal(18, 3)", pa.decimal128(18, 3), lambda r: decimal.Decimal(r.randint(-(10**18) + 1, 10**18 - 1)).scaleb(-3)),
    ("decimal(38, 0)", pa.decimal128(38, 0), lambda r: decimal.Decimal(r.randint(-(10**27), 10**27))),
]

NESTED = [
    field("list", pa.list_(field("element", pa.int32(), 101)), 100),
    field("struct", pa.struct([field("a", pa.int64(), 103), field("s", pa.string(), 104)]), 102),
    field("lists", pa.list_(field("element", pa.list_(field("element", pa.string(), 107)), 106)), 105),
    field(
        "structs",
        pa.list_(
            field(
                "element",
                pa.struct([field("x", pa.float64(), 110), field("tags", pa.list_(field("element", pa.string(), 112)), 111)]),
                109,
            )
        ),
        108,
    ),
    field("map", pa.map_(field("key", pa.string(), 114).with_nullable(False), field("value", pa.int64(), 115)), 113),
    field("deep", pa.struct([field("inner", pa.struct([field("v", pa.int32(), 118)]), 117)]), 116),
]


def nested_value(r, type_, nulls):
    if nulls and r.random() < nulls:
        return None
    if pa.types.is_map(type_):
        return [(str(i), nested_value(r, type_.item_type, nulls)) for i in range(r.randint(0, 3))]
    if pa.types.is_list(type_):
        return [nested_value(r, type_.value_type, nulls) for _ in range(r.choice([0, 1, 2, 5]))]
    if pa.types.is_struct(type_):
        return {f.name: nested_value(r, f.type, nulls) for f in type_}
    if pa.types.is_string(type_):
        return r.choice(["", "a", "bb" * 9])
    return r.randint(-50, 50)


def values(r, make, rows, nulls):
    out, last = [], None
    for _ in range(rows):
        # Runs, so that dictionaries and levels have both kinds of them.
        if r.random() < 0.4 and out:
            out.append(last)
            continue
        last = None if r.random() < nulls else make(r)
        out.append(last)
    return out


def table(seed, rows, nulls, nested=True):
    r = random.Random(seed)
    fields, arrays = [], []
    for index, (name, type_, make) in enumerate(FLAT):
        fields.append(field(name, type_, index + 1).with_nullable(nulls is not None))
        arrays.append(pa.array(values(r, make, rows, nulls or 0), type_))
    for f in NESTED if nested else []:
        fields.append(f)
        arrays.append(pa.array([nested_value(r, f.type, nulls or 0) for _ in range(rows)], f.type))
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


DELTA = {
    **{name: "DELTA_BINARY_PACKED" for name in ["int", "long", "date", "time", "timestamp", "timestamptz", "timestamp_ns"]},
    **{name: "DELTA_BYTE_ARRAY" for name in ["string", "binary", "fixed[5]", "uuid"]},
    "boolean": "RLE",
}
LENGTHS = {**DELTA, "string": "DELTA_LENGTH_BYTE_ARRAY", "binary": "DELTA_LENGTH_BYTE_ARRAY"}
SPLIT = {name: "BYTE_STREAM_SPLIT" for name in ["int", "long", "float", "double", "fixed[5]", "uuid", "decimal(7, 2)"]}

listing = []


def write(name, source, expected=None, kind="all", **options):
    path = f"{folder}/{name}.parquet"
    pq.write_table(source, path, **options)
    hand_over(name, kind, pq.read_table(path) if expected is None else expected)


def hand_over(name, kind, expected, **details):
    expected = expected.combine_chunks()
    with pa.OSFile(f"{folder}/{name}.arrow", "wb") as sink, pa.ipc.new_stream(sink, expected.schema) as writer:
        writer.write_table(expected)
    listing.append({"name": name, "kind": kind, **details})


dictionaries = {"default": True, "none": False}
for version in ["1.0", "2.0"]:
    for codec in ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]:
        for label, dictionary in dictionaries.items():
            write(
                f"v{version[0]}-{codec}-{label}",
                table(f"{version}{codec}{label}", 700, 0.2),
                data_page_version=version,
                compression=codec,
                use_dictionary=dictionary,
                row_group_size=400,
                data_page_size=2048,
                write_page_checksum=codec == "zstd",
            )
    for label, encodings in {"delta": DELTA, "lengths": LENGTHS, "split": SPLIT}.items():
        for nulls in [None, 0.0, 0.3, 1.0]:
            write(
                f"v{version[0]}-{label}-{nulls}",
                table(f"{version}{label}", 900, nulls),
                data_page_version=version,
                compression="zstd",
                use_dictionary=False,
                column_encoding=encodings,
            )

write("empty", table("empty", 0, 0.1))
write("one", table("one", 1, 0.0))
write("small-dictionary", table("fallback", 3000, 0.1), dictionary_pagesize_limit=600, data_page_size=1500)
write("integers-as-decimals", table("decimals", 500, 0.1), store_decimal_as_integer=True)
write("old-names-of-elements", table("names", 300, 0.1), use_compliant_nested_type=False)
write("old-format", table("old", 300, 0.1, nested=False).drop_columns("timestamp_ns"), kind="old", version="1.0", compression="snappy")

narrow = pa.table(
    [
        pa.array([1, None, -5, 2**31 - 1, -(2**31)], pa.int32()),
        pa.array([1.5, None, float("nan"), -0.0, 1e30], pa.float32()),
        pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-99.99"), decimal.Decimal(0), decimal.Decimal("0.01")], pa.decimal128(4, 2)),
        pa.array([0, 1, None, -1, 20000], pa.date32()),
        pa.array([0, 1, None, -1, 20000], pa.timestamp("ms")),
        pa.array([0, 127, None, -128, 5], pa.int8()),
    ],
    schema=pa.schema(
        [
            field("int", pa.int32(), 1),
            field("float", pa.float32(), 2),
            field("decimal", pa.decimal128(4, 2), 3),
            field("date", pa.date32(), 4),
            field("millis", pa.timestamp("ms"), 5),
            field("tiny", pa.int8(), 6),
        ]
    ),
)
wide = [pa.int64(), pa.float64(), pa.decimal128(20, 2), pa.timestamp("us"), pa.timestamp("us"), pa.int32()]
promoted = pa.table([narrow.column(i).cast(t) for i, t in enumerate(wide)], names=narrow.column_names)
write("promoted", narrow, expected=promoted, kind="promoted")
write("promoted-integers", narrow, expected=promoted, kind="promoted", store_decimal_as_integer=True)
instants = pa.table([pa.array([0, 1, None, -1, 10**15, -(10**15)], pa.timestamp("us"))], schema=pa.schema([field("t", pa.timestamp("us"), 1)]))
write("int96", instants, expected=instants, kind="instants", use_deprecated_int96_timestamps=True)

# Files of Spark and of Iceberg's Java library, which keep the table's schema beside their own.
for path in sorted(glob.glob(f"{foreign}/*.parquet")):
    shutil.copy(path, folder)
    schema = json.loads(pq.ParquetFile(path).metadata.metadata[b"iceberg.schema"])
    hand_over(os.path.basename(path).removesuffix(".parquet"), "foreign", pq.read_table(path), schema=schema)

json.dump(listing, open(f"{folder}/files.json", "w"))
