"""The cursor of a training feed: the end of a global batch, the same on every rank (docs/order.md)."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from typing import cast

from icecore.order import LANES, SHUFFLES, Shuffle
from icecore.permutation import ORDER_NAME

_CHECKSUM_DIGITS = 8


@dataclass(frozen=True)
class Cursor:
    """Holds all that decides which rows come next."""

    #: 0 for a table without one.
    snapshot_id: int
    #: Hexadecimal SHA-256 over the canonical JSON of the predicate and the split.
    filter_hash: str
    shuffle: Shuffle
    seed: int
    epoch: int
    lanes: int
    #: Rows of the order that lie before it.
    position: int

    def encode(self) -> str:
        """The text that a batch carries."""
        members = [
            ORDER_NAME,
            str(self.snapshot_id),
            self.filter_hash,
            self.shuffle,
            str(self.seed),
            self.epoch,
            self.lanes,
            str(self.position),
        ]
        body = _base64url(json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode())
        return f"{body}.{_checksum(body)}"

    @staticmethod
    def decode(text: str) -> "Cursor":
        """Raises ValueError where the text is no cursor, was damaged, or is one of another order."""
        body, _, checksum = text.partition(".")
        if checksum != _checksum(body):
            raise _damaged()
        try:
            members = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except ValueError:
            raise _damaged() from None
        if not isinstance(members, list) or not members:
            raise _damaged()
        if members[0] != ORDER_NAME:
            raise ValueError(
                f"The cursor is of the order {members[0]}, and this reader has {ORDER_NAME}. Begin the epoch anew."
            )
        if not _is_cursor(members):
            raise _damaged()
        _, snapshot_id, filter_hash, shuffle, seed, epoch, lanes, position = members
        return Cursor(int(snapshot_id), filter_hash, cast(Shuffle, shuffle), int(seed), epoch, lanes, int(position))


def _is_cursor(members: list[object]) -> bool:
    if len(members) != 8:
        return False
    _, snapshot_id, filter_hash, shuffle, seed, epoch, lanes, position = members
    wholes = all(isinstance(whole, str) and re.fullmatch("[0-9]{1,19}", whole) for whole in (snapshot_id, position))
    seeded = isinstance(seed, str) and re.fullmatch("-?[0-9]{1,19}", seed) and -(2**63) <= int(seed) < 2**63
    counted = type(epoch) is int and 0 <= epoch < 2**31 and type(lanes) is int and lanes in LANES
    return bool(wholes and seeded and counted and isinstance(filter_hash, str) and shuffle in SHUFFLES)


def _checksum(body: str) -> str:
    return hashlib.sha256(f"icecore-cursor {body}".encode()).hexdigest()[:_CHECKSUM_DIGITS]


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _damaged() -> ValueError:
    return ValueError("This is no cursor of a training feed, or not all of it. Give one as a batch carried it.")
