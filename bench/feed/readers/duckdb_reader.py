"""DuckDB from Python, its result fetched as Arrow batches."""

from collections.abc import Iterator
from typing import Any

import duckdb


def batches(options: dict[str, Any]) -> Iterator[tuple[int, int]]:
    with duckdb.connect() as connection:
        result = connection.execute("SELECT * FROM read_parquet(?)", [options["files"]])
        for batch in result.fetch_record_batch(options["batchSize"]):
            yield batch.num_rows, batch.nbytes
