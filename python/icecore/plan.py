"""What the server says of a plan: files, row groups, what is left out of them, and the order."""

import base64
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from icecore.client import Client
from icecore.cursor import Cursor
from icecore.errors import IcecoreError
from icecore.feed_input import FeedInput
from icecore.order import EpochOrder
from icecore.patience import Patience
from icecore.permutation import ORDER_NAME
from icecore.roaring import roaring_positions

_FILES_A_PAGE = 1000
#: URLs are asked for anew so long before they expire: a row group takes a while to read.
_EXPIRY_MARGIN_S = 60.0

_PLAN = """
query ($input: TrainingFeedInput!, $first: Int!, $after: String) {
  trainingPlan(input: $input) {
    source { snapshotId }
    schema rowsTotal start urlsExpireAt
    order { algorithm shuffle seed epoch lanes }
    files(first: $first, after: $after) {
      edges { node {
        path url skippedRows constants
        rowGroups { ordinal firstRow rowCount matchingRows }
      } }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


_COUNT = "query ($input: TrainingFeedInput!) { trainingPlan(input: $input) { rowsTotal } }"


def count_rows(input: FeedInput, client: Client, *, patience_s: float) -> int:
    """Rows of the epoch, over all ranks, without reading any of them."""
    patience = Patience(patience_s)
    while True:
        try:
            return int(client.query(_COUNT, {"input": input.variables()})["trainingPlan"]["rowsTotal"])
        except IcecoreError as error:
            patience.pause(error, "The training plan")


class PlanGroup(NamedTuple):
    """A row group, by the index of its file."""

    file: int
    ordinal: int
    first_row: int
    row_count: int
    matching_rows: int


@dataclass(frozen=True)
class PlanFile:
    path: str
    url: str
    #: Positions of rows that are deleted or do not match, ascending.
    skipped: NDArray[np.int64]
    #: Of the columns that it lacks, by name.
    constants: Mapping[str, Any]


class TrainingPlan:
    """A plan, pinned to its snapshot by the cursor that it begins at."""

    def __init__(self, input: FeedInput, client: Client, *, patience_s: float) -> None:
        self._client = client
        self._patience_s = patience_s
        self._lock = threading.Lock()
        first = _page(input, client, patience_s, None)
        #: Where the plan begins; it pins the snapshot.
        self.start: str = first["start"]
        self._input = input.on(self.start)
        self.schema: pa.Schema = _schema(base64.b64decode(first["schema"]))
        self.rows_total = int(first["rowsTotal"])
        self.snapshot_id = None if not int(first["source"]["snapshotId"] or 0) else int(first["source"]["snapshotId"])
        self.files: list[PlanFile] = []
        self.groups: list[PlanGroup] = []
        self._expires: float | None = None
        self._take(first)
        said = first["order"]
        if said["algorithm"] != ORDER_NAME:
            raise IcecoreError(
                "FAILED_PRECONDITION",
                f"The server orders by {said['algorithm']}, and this package by {ORDER_NAME}. Update the older of "
                "them, or read via='feed'.",
            )
        self.cursor = Cursor.decode(self.start)
        self.order = EpochOrder(
            [group.matching_rows for group in self.groups],
            shuffle=said["shuffle"],
            seed=int(said["seed"]),
            epoch=int(said["epoch"]),
            lanes=int(said["lanes"]),
        )
        if self.order.rows != self.rows_total:
            raise IcecoreError(
                "INTERNAL",
                f"The plan's row groups hold {self.order.rows} matching rows, and it says {self.rows_total}.",
            )

    def url(self, file: int) -> str:
        """Of a file, by its index; asks for a fresh one where it is about to expire."""
        with self._lock:
            if self._expires is not None and time.time() > self._expires - _EXPIRY_MARGIN_S:
                self._renew()
            return self.files[file].url

    def renew(self, file: int, url: str) -> None:
        """Asks for fresh URLs, as that of this file is refused; not where another thread has done so meanwhile."""
        with self._lock:
            if self.files[file].url == url:
                self._renew()

    def cursor_at(self, position: int) -> str:
        return replace(self.cursor, position=position).encode()

    def _renew(self) -> None:
        urls = [node["url"] for page in self._pages(None) for node in _nodes(page)]
        self.files = [replace(file, url=url) for file, url in zip(self.files, urls, strict=True)]

    def _take(self, first: Mapping[str, Any]) -> None:
        for page in self._pages(first):
            for node in _nodes(page):
                groups = [_group(len(self.files), each) for each in node["rowGroups"]]
                self.files.append(_file(node))
                self.groups.extend(groups)

    def _pages(self, first: Mapping[str, Any] | None) -> Iterator[Mapping[str, Any]]:
        page = first or _page(self._input, self._client, self._patience_s, None)
        expires: list[float] = []
        while True:
            if page["urlsExpireAt"] is not None:
                expires.append(datetime.fromisoformat(page["urlsExpireAt"].replace("Z", "+00:00")).timestamp())
            self._expires = min(expires) if expires else None
            yield page
            info = page["files"]["pageInfo"]
            if not info["hasNextPage"]:
                return
            page = _page(self._input, self._client, self._patience_s, info["endCursor"])


def _page(input: FeedInput, client: Client, patience_s: float, after: str | None) -> dict[str, Any]:
    patience = Patience(patience_s)
    variables = {"input": input.variables(), "first": _FILES_A_PAGE, "after": after}
    while True:
        try:
            plan: dict[str, Any] = client.query(_PLAN, variables)["trainingPlan"]
            return plan
        except IcecoreError as error:
            patience.pause(error, "The training plan")


def _nodes(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [edge["node"] for edge in page["files"]["edges"]]


def _file(node: Mapping[str, Any]) -> PlanFile:
    skipped = node["skippedRows"]
    positions = np.empty(0, np.int64) if skipped is None else roaring_positions(base64.b64decode(skipped))
    return PlanFile(node["path"], node["url"], positions, node["constants"] or {})


def _group(file: int, said: Mapping[str, Any]) -> PlanGroup:
    return PlanGroup(file, said["ordinal"], int(said["firstRow"]), said["rowCount"], said["matchingRows"])


def _schema(message: bytes) -> pa.Schema:
    return pa.ipc.read_schema(pa.py_buffer(message))
