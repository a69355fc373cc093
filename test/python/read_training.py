"""Reads training data by the package icecore, and prints what came as JSON.

The argument is JSON: the keywords of `icecore.arrow.read_training`, and `take`, so many batches, where not all are
wanted.
"""

import hashlib
import json
import sys

from icecore.arrow import TrainingReader, read_training
from icecore.errors import IcecoreError


def seen(reader: TrainingReader, take: int | None) -> dict[str, object]:
    batches = []
    for batch in reader:
        batch.validate(full=True)
        rows = batch.to_pydict()
        digest = hashlib.sha256(repr(rows).encode()).hexdigest()
        state = reader.state_dict()
        batches.append({"n": rows.get("n"), "digest": digest, "cursor": state["cursor"], "done": state["done"]})
        if len(batches) == take:
            break
    return {
        "names": reader.schema.names,
        "types": [str(field.type) for field in reader.schema],
        "rowsTotal": reader.rows_total,
        "snapshotId": str(reader.snapshot_id),
        "batches": batches,
    }


def main() -> None:
    asked = json.loads(sys.argv[1])
    take, state = asked.pop("take", None), asked.pop("state", None)
    try:
        with read_training(**asked) as reader:
            if state is not None:
                reader.load_state_dict(state)
            print(json.dumps(seen(reader, take)))
    except IcecoreError as error:
        print(json.dumps({"code": error.code, "message": error.message, "retryable": error.retryable}))


main()
