#!/usr/bin/env python3
"""Checks an export of icecore.audit_log (docs/audit-chain.md) with Python's standard library alone.

    verify_audit.py EXPORT.jsonl
    verify_audit.py EXPORT.jsonl --checkpoints ANCHOR.jsonl --key signing-key.pem.pub [--key FORMER.pub ...] [--json]

EXPORT has one JSON object a line with the table's columns, in any order of lines; `seq` is an integer or its text, `at` microseconds
since 1970 or an ISO 8601 text. ANCHOR is the anchor file, kept where nobody who can write the warehouse can write. With the export
alone: that the chain is consistent in itself. With checkpoints: that nothing up to the last one was changed, removed, inserted,
reordered or cut. Ends with 0 where nothing is wrong, 1 at the first fault, 2 where it could not check.

Written from the document, apart from the server's code, so that the two check each other.
"""
import argparse
import base64
import datetime
import hashlib
import json
import re
import sys

HASH_BEFORE_FIRST = "0" * 64
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def canonical(members):
    """RFC 8785, for an object of strings."""
    return json.dumps(members, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def micros(at):
    if isinstance(at, int) or re.fullmatch(r"-?\d+", at):
        return int(at)
    # An hour's offset without minutes, as DuckDB prints it, is more than older versions of Python read.
    text = re.sub(r"([+-]\d\d)$", r"\1:00", at.replace("Z", "+00:00"))
    # So are one to five digits of a second.
    text = re.sub(r"\.(\d{1,6})", lambda digits: "." + digits[1].ljust(6, "0"), text)
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def link_hash(row):
    entry = {name: row[name] for name in ("action", "actor_id", "actor_kind", "outcome", "payload_sha256", "subject")}
    entry["at"] = str(micros(row["at"]))
    entry["seq"] = str(int(row["seq"]))
    return hashlib.sha256(bytes.fromhex(row["previous_hash"]) + canonical(entry)).hexdigest()


def link_fault(row, head_seq, head_hash):
    seq = int(row["seq"])
    if seq != head_seq + 1:
        why = "an entry was inserted, repeated or moved" if seq <= head_seq else "what was between them was removed"
        return f"Entry {seq} comes after entry {head_seq}: {why}."
    if row["previous_hash"] != head_hash:
        return (
            f"Entry {seq} does not follow from entry {head_seq}: "
            f"its previous hash is {row['previous_hash']}, and should be {head_hash}."
        )
    given = link_hash(row)
    if given != row["hash"]:
        return f"Entry {seq} was changed: its hash is {row['hash']}, and its content gives {given}."
    payload = row.get("payload")
    if payload is not None and hashlib.sha256(payload.encode()).hexdigest() != row["payload_sha256"]:
        return f"Entry {seq} was changed: its payload does not have the digest {row['payload_sha256']}."
    return None


def rows_in_order(path):
    """By seq, holding the place of each line and not the line."""
    places = []
    with open(path, "rb") as export:
        while line := export.readline():
            if line.strip():
                places.append((int(json.loads(line)["seq"]), export.tell() - len(line)))
        places.sort()
        for _, place in places:
            export.seek(place)
            yield json.loads(export.readline())


# Ed25519 (RFC 8032), verification alone. Points of -x^2 + y^2 = 1 + d x^2 y^2 as (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
SPKI = bytes.fromhex("302a300506032b6570032100")


def add(one, two):
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def point_of(data):
    """None for bytes that are no point."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P != 0:
        x = x * ROOT % P
    if (x * x - square) % P != 0 or (x == 0 and sign):
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def is_signed(public, message, signature):
    if len(signature) != 64:
        return False
    key, r, s = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or r is None or s >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = multiply(s, BASE), add(r, multiply(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def read_key(path):
    with open(path, encoding="ascii") as file:
        der = base64.b64decode("".join(line.strip() for line in file if "-----" not in line))
    if not der.startswith(SPKI) or len(der) != len(SPKI) + 32:
        raise ValueError(f"{path} is no Ed25519 public key in PEM.")
    return hashlib.sha256(der).hexdigest()[:16], der[len(SPKI) :]


def read_checkpoint(line):
    """None where the line is none: such a line is reported, never skipped in silence."""
    try:
        point = json.loads(line)
        texts = all(isinstance(point[name], str) for name in ("chain", "hash", "keyId", "signature", "seq", "atMicros"))
        integers = texts and all(re.fullmatch(r"[0-9]{1,19}", point[name]) for name in ("seq", "atMicros"))
        return point if integers else None
    except (ValueError, KeyError, TypeError):
        return None


def read_anchor(path, keys):
    """The hashes by seq, and the first fault."""
    by_seq, fault = {}, None
    with open(path, encoding="utf-8") as anchor:
        # A line without its end is one that a crash cut off while it was written: it never counted.
        lines = anchor.read().split("\n")[:-1]
    for number, line in enumerate(lines, 1):
        where = f"Checkpoint {number} of {path}"
        point = read_checkpoint(line)
        if point is None:
            fault = fault or f"{where} is not readable."
            continue
        seq = int(point["seq"])
        signed = canonical({name: point[name] for name in ("atMicros", "chain", "hash", "keyId", "seq")})
        key = keys.get(point["keyId"])
        try:
            signature = base64.b64decode(point["signature"], validate=True)
        except ValueError:
            signature = b""
        if key is None or not is_signed(key, signed, signature):
            fault = fault or f"{where}, for entry {seq}, is not signed by a known key."
            continue
        if by_seq.get(seq, point["hash"]) != point["hash"]:
            fault = fault or f"{where} contradicts an earlier one for entry {seq}."
        by_seq[seq] = point["hash"]
    return by_seq, fault


def verify(rows, points, fault):
    head_seq, head_hash, verified = 0, HASH_BEFORE_FIRST, None
    for row in rows:
        seq = int(row["seq"])
        if fault is None:
            fault = link_fault(row, head_seq, head_hash)
            if fault is None and points.get(seq, row["hash"]) != row["hash"]:
                fault = (
                    f"Entry {seq} has the hash {row['hash']}, and the anchor's checkpoint says {points[seq]}: "
                    "the chain up to it is not the one that was anchored."
                )
            if fault is None and seq in points:
                verified = seq
        if seq > head_seq:
            head_seq, head_hash = seq, row["hash"]
    last = max(points, default=0)
    if fault is None and last > head_seq:
        fault = f"The chain ends at entry {head_seq}, and the anchor holds a checkpoint for entry {last}: it was cut."
    return head_seq, verified, fault


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("export")
    arguments.add_argument("--checkpoints", metavar="ANCHOR", help="the anchor file")
    arguments.add_argument("--key", action="append", default=[], help="a public key (PEM) whose checkpoints count; may be repeated")
    arguments.add_argument("--json", action="store_true", help="one JSON object")
    given = arguments.parse_args()
    if given.checkpoints is not None and not given.key:
        arguments.error("checkpoints count only where they are signed: give the server's public key with --key")
    points, fault = {}, None
    if given.checkpoints is not None:
        points, fault = read_anchor(given.checkpoints, dict(read_key(path) for path in given.key))
    head_seq, verified, fault = verify(rows_in_order(given.export), points, fault)
    if given.json:
        said = {"consistent": fault is None, "headSeq": str(head_seq), "anchor": given.checkpoints, "firstFault": fault}
        print(json.dumps({**said, "verifiedThroughSeq": None if verified is None else str(verified)}, sort_keys=True))
    elif fault is not None:
        print(fault)
    else:
        print(f"{head_seq} entries, consistent in themselves.")
        if verified is None:
            print("No checkpoint vouches for them: whoever can write the table could have made every hash anew.")
        else:
            print(f"Up to entry {verified} nothing was changed, removed, inserted, reordered or cut; after it, nothing is claimed.")
    return 0 if fault is None else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"It could not be checked: {type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
