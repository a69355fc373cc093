"""A client of `flight_server.py`."""

from collections.abc import Iterator
from typing import Any

from pyarrow import flight


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    with flight.connect(options["url"]) as client:
        for chunk in client.do_get(flight.Ticket(b"all")):
            yield chunk.data.num_rows, chunk.data.nbytes
