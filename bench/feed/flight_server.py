"""Serves the rows of Parquet files by Arrow Flight, as pyarrow's own examples do: a scan of the data for each `do_get`.

flight_server.py FILE...
Says its address once it listens; ends with its input.
"""

import sys

import pyarrow.dataset as ds
from pyarrow import flight


class DatasetServer(flight.FlightServerBase):
    def do_get(self, context: flight.ServerCallContext, ticket: flight.Ticket) -> flight.RecordBatchStream:
        return flight.RecordBatchStream(ds.dataset(sys.argv[1:], format="parquet").scanner().to_reader())


server = DatasetServer("grpc://127.0.0.1:0")
print(f"grpc://127.0.0.1:{server.port}", flush=True)
sys.stdin.read()
server.shutdown()
