"""Checks the package `icecore` against vectors of its order: `check_order.py VECTORS.json`. Prints what differs; ends with 1 if any does."""

import hashlib
import json
import sys

import numpy as np

from icecore.cursor import Cursor
from icecore.order import EpochOrder, live_rows, shuffled_block
from icecore.permutation import mix32, order_words, permute
from icecore.rank_batches import RankBatches

different = 0
checked = 0


def check(case, got, expected):
    global different, checked
    checked += 1
    if got != expected:
        different += 1
        print(f"{case}\n  expected {str(expected)[:500]}\n  got      {str(got)[:500]}")


def digest_of(numbers):
    return hashlib.sha256(np.asarray(numbers, dtype="<u4").tobytes()).hexdigest()


def read_epoch(case):
    order = EpochOrder(
        case["groups"], shuffle=case["shuffle"], seed=int(case["seed"]), epoch=case["epoch"], lanes=case["lanes"]
    )
    batches = RankBatches(
        order,
        batch_size=case["batchSize"],
        rank=case["rank"],
        world_size=case["worldSize"],
        tail=case["tail"],
        start=case["start"],
    )
    read = []
    for batch in batches:
        rows = np.stack(order.read(batch.span), axis=1)
        assert len(rows) == batch.rows
        read.append({"end": batch.end, "last": batch.last, "rows": rows.tolist()})
    assert batches.rows == sum(len(batch["rows"]) for batch in read)
    return read


vectors = json.load(open(sys.argv[1], encoding="utf-8"))
for case in vectors.get("hash", []):
    check(case, int(mix32(np.array([case["value"]], np.uint32))[0]), case["hash"])
for case in vectors.get("words", []):
    check(case, order_words(case["purpose"], int(case["seed"]), case["epoch"]).tolist(), case["words"])
for case in vectors.get("permutations", []):
    words = order_words(case["purpose"], int(case["seed"]), case["epoch"])
    check(case, permute(np.array(case["indices"], np.uint64), case["count"], words).tolist(), case["images"])
for case in vectors.get("blocks", []):
    order = shuffled_block(order_words("rows", int(case["seed"]), case["epoch"]), case["block"], case["rows"])
    check(case, [order[:12].tolist(), digest_of(order)], [case["first"], case["digest"]])
for case in vectors.get("masks", []):
    check(case, live_rows(bytes.fromhex(case["bits"]), case["rows"]).tolist(), case["live"])
for case in vectors.get("epochs", []):
    check(case, read_epoch(case), case["batches"])
for case in vectors.get("digests", []):
    check(case, digest_of([row for batch in read_epoch(case) for row in batch["rows"]]), case["digest"])
for case in vectors.get("cursors", []):
    cursor = Cursor(
        int(case["snapshotId"]),
        case["filterHash"],
        case["shuffle"],
        int(case["seed"]),
        case["epoch"],
        case["lanes"],
        int(case["position"]),
    )
    check(case, cursor.encode(), case["text"])
    check(case, Cursor.decode(case["text"]), cursor)
print(f"{checked} vectors, {different} differ")
sys.exit(1 if different else 0)
