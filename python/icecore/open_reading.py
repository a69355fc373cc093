"""Readings over the feed, and over the plan."""

from icecore.client import Client
from icecore.feed import TrainingFeed
from icecore.feed_input import FeedInput
from icecore.plan_reading import PlanReading
from icecore.reading import PATIENCE_S, Reading, Via


def open_reading(
    input: FeedInput, client: Client | None = None, *, via: Via = "feed", patience_s: float = PATIENCE_S
) -> Reading:
    """Nothing is asked of the server yet. Raises ValueError for an unknown way."""
    if via == "feed":
        return TrainingFeed(input, client, patience_s=patience_s)
    if via == "plan":
        return PlanReading(input, client, patience_s=patience_s)
    raise ValueError(f"via is {via!r}, and must be 'feed' or 'plan'.")
