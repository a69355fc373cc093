#!/usr/bin/env python3
"""Computes and checks row digests (`icecore-rows/1`, docs/row-digest.md) with Python's standard library alone.

    row_digest.py VECTORS.json           checks every vector, prints what differs, ends with 1 if any does
    row_digest.py --fill VECTORS.json    writes the digests into the file

Written from the document, apart from the server's code, so that the two check each other. Cells in a vector are JSON:
integers and times as decimal strings of their stored integer, floating point as a number or "NaN", "Infinity", "-Infinity",
"-0.0", decimals as strings of the unscaled integer, bytes as hexadecimal, structs and lists as arrays, maps as arrays of
[key, value].
"""
import hashlib
import json
import math
import struct
import sys
import uuid


def type_json(t):
    if isinstance(t, str):
        return json.dumps(t)
    if t["type"] == "struct":
        return '{"fields":[%s],"type":"struct"}' % ",".join(column_json(f) for f in t["fields"])
    if t["type"] == "list":
        return '{"element":%s,"type":"list"}' % type_json(t["element"])
    return '{"key":%s,"type":"map","value":%s}' % (type_json(t["key"]), type_json(t["value"]))


def column_json(column):
    return '{"name":%s,"type":%s}' % (json.dumps(column["name"], ensure_ascii=False), type_json(column["type"]))


def value_bytes(t, v):
    if not isinstance(t, str):
        return nested_bytes(t, v)
    if t == "boolean":
        return b"\x01" if v else b"\x00"
    if t in ("int", "date"):
        return struct.pack("<i", int(v))
    if t in ("long", "time", "timestamp", "timestamptz", "timestamp_ns", "timestamptz_ns"):
        return struct.pack("<q", int(v))
    if t == "float":
        number = float(v)
        return bytes.fromhex("0000c07f") if math.isnan(number) else struct.pack("<f", number)
    if t == "double":
        number = float(v)
        return bytes.fromhex("000000000000f87f") if math.isnan(number) else struct.pack("<d", number)
    if t == "string":
        return v.encode("utf-8")
    if t == "uuid":
        return uuid.UUID(v).bytes
    if t.startswith("decimal"):
        number = int(v)
        length = 1
        while not -(1 << (8 * length - 1)) <= number < 1 << (8 * length - 1):
            length += 1
        return number.to_bytes(length, "big", signed=True)
    return bytes.fromhex(v)  # binary, fixed[n]


def nested_bytes(t, v):
    if t["type"] == "struct":
        return b"".join(cell(f["type"], c) for f, c in zip(t["fields"], v, strict=True))
    if t["type"] == "list":
        return struct.pack("<I", len(v)) + b"".join(cell(t["element"], c) for c in v)
    entries = sorted(v, key=lambda entry: value_bytes(t["key"], entry[0]))
    return struct.pack("<I", len(v)) + b"".join(cell(t["key"], k) + cell(t["value"], c) for k, c in entries)


def cell(t, v):
    if v is None:
        return b"\x00"
    body = value_bytes(t, v)
    return b"\x01" + struct.pack("<I", len(body)) + body


def row_digest(columns, rows):
    schema = ("[" + ",".join(column_json(c) for c in columns) + "]").encode("utf-8")
    whole = hashlib.sha256(b"icecore-rows/1")
    whole.update(struct.pack("<I", len(schema)) + schema + struct.pack("<q", len(rows)))
    for row in rows:
        cells = b"".join(cell(c["type"], v) for c, v in zip(columns, row, strict=True))
        whole.update(hashlib.sha256(cells).digest())
    return whole.hexdigest()


def main(arguments):
    fill = arguments[:1] == ["--fill"]
    path = arguments[-1]
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    wrong = 0
    for vector in document["vectors"]:
        digest = row_digest(vector["columns"], vector["rows"])
        if fill:
            vector["digest"] = digest
        elif digest != vector["digest"]:
            wrong += 1
            print(f"{vector['name']}: {digest}, and the file says {vector['digest']}")
    if fill:
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, ensure_ascii=False)
            file.write("\n")
    print(f"{len(document['vectors'])} vectors, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
