"""Reads a subscription over raw Arrow with pyarrow, and prints what it saw as JSON.

Arguments: the server's origin, the subscription, its variables as JSON. Nothing of Icecore is used: only the standard
library's HTTP and pyarrow's reader of IPC streams.
"""

import http.client
import json
import sys
from urllib.parse import urlsplit

import pyarrow as pa


def texts(metadata):
    return {key.decode(): value.decode() for key, value in dict(metadata or {}).items()}


def main(origin, query, variables):
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=60)
    body = json.dumps({"query": query, "variables": json.loads(variables)})
    headers = {"content-type": "application/json", "accept": "application/vnd.apache.arrow.stream"}
    connection.request("POST", "/graphql", body, headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()

    batches = []
    with pa.ipc.open_stream(response) as reader:
        schema = reader.schema
        while True:
            try:
                batch, metadata = reader.read_next_batch_with_custom_metadata()
            except StopIteration:
                break
            batch.validate(full=True)
            batches.append({"metadata": texts(metadata), "rows": batch.to_pydict()})
    types = {field.name: str(field.type) for field in schema}
    json.dump({"metadata": texts(schema.metadata), "types": types, "batches": batches}, sys.stdout, default=str)


main(*sys.argv[1:])
