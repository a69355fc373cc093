"""A part of a plan that travels to another process: some groups, with the files that they are of."""

import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from icecore.client import Client
from icecore.errors import IcecoreError
from icecore.feed_input import FeedInput
from icecore.group_rows import group_blocks
from icecore.order import PlacedGroup
from icecore.parquet_source import ParquetSource
from icecore.plan import PlanFile, PlanGroup, TrainingPlan


class PartGroup(NamedTuple):
    """A group, and where it lies in the order."""

    file: PlanFile
    group: PlanGroup
    placed: PlacedGroup


def plan_parts(plan: TrainingPlan, count: int) -> list[bytes]:
    """The groups of a plan in at most `count` parts of about as many rows each, none of them empty; what
    `read_part` takes. Groups of a file stay together."""
    wanted = -(-plan.rows_total // max(1, count))
    parts: list[list[PartGroup]] = []
    rows = wanted
    for place, group in enumerate(plan.groups):
        placed = plan.order.placed(place)
        if placed is None:
            continue
        if rows >= wanted:
            parts.append([])
            rows = 0
        parts[-1].append(PartGroup(_of_group(plan.files[group.file], group), group, placed))
        rows += placed.rows
    return [pickle.dumps(part) for part in parts]


def read_part(
    part: bytes, schema: pa.Schema, input: FeedInput, client: Client, *, patience_s: float
) -> Iterator[tuple[PlacedGroup, Iterator[pa.RecordBatch]]]:
    """Each group of a part with its blocks, as the plan's schema has them; groups are to be read one after the other.

    `input` begins at the plan's start. Raises IcecoreError where a file is not what the plan says.
    """
    groups: Sequence[PartGroup] = pickle.loads(part)
    plan = _PlanPart(groups, schema, input, client, patience_s)
    source = ParquetSource(plan, patience_s)
    try:
        for place, (_, _, placed) in enumerate(groups):
            if place + 1 < len(groups):
                source.expect(place + 1)
            yield placed, _blocks(source, plan, place)
    finally:
        source.close()


def _blocks(source: ParquetSource, plan: TrainingPlan, place: int) -> Iterator[pa.RecordBatch]:
    group = plan.groups[place]
    with source.open(place) as file:
        yield from group_blocks(file.parquet, plan.schema, plan.files[group.file], group)


def _of_group(file: PlanFile, group: PlanGroup) -> PlanFile:
    """The file, with what is skipped of this group alone."""
    begin, end = np.searchsorted(file.skipped, [group.first_row, group.first_row + group.row_count])
    return replace(file, skipped=file.skipped[begin:end].copy())


class _PlanPart(TrainingPlan):
    """What a source of files needs of a plan: their URLs, and fresh ones where these have expired."""

    def __init__(
        self, groups: Sequence[PartGroup], schema: pa.Schema, input: FeedInput, client: Client, patience_s: float
    ) -> None:
        self._client = client
        self._patience_s = patience_s
        self._lock = threading.Lock()
        self._input = input
        #: When the URLs end is not known here: they are renewed when they are refused.
        self._expires = None
        self.schema = schema
        # A file is here once for each of its groups, with what is skipped of that one.
        self.files = [each.file for each in groups]
        self.groups = [each.group._replace(file=place) for place, each in enumerate(groups)]

    def _renew(self) -> None:
        whole = TrainingPlan(self._input, self._client, patience_s=self._patience_s)
        urls = {file.path: file.url for file in whole.files}
        missing = next((file.path for file in self.files if file.path not in urls), None)
        if missing is not None:
            raise IcecoreError("CONFLICT", f"The plan has no file {missing} any more. Read the training data anew.")
        self.files = [replace(file, url=urls[file.path]) for file in self.files]
