"""Icecore's GraphQL API over the standard library's HTTP: answers as dicts, batches as Arrow streams."""

import http.client
import json
import os
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from icecore.body import ResponseBody
from icecore.errors import IcecoreError, unreachable

ARROW_STREAM = "application/vnd.apache.arrow.stream"
_GRAPHQL = "application/graphql-response+json"

DEFAULT_URL = "http://127.0.0.1:4000"

#: The first batch may wait for matches to be counted and row groups to be decoded.
READ_TIMEOUT_S = 600.0
CONNECT_TIMEOUT_S = 20.0

#: Of an answer in JSON: a page of a plan is the largest.
_JSON_BYTES_MAX = 1024 * 1024 * 1024


@dataclass(frozen=True)
class Client:
    """Where the server is, and who asks. Holds no connection, so it may be shared, copied and pickled.

    `url` is the server's origin, with a path before `/graphql` where a proxy adds one; ICECORE_URL where left out.
    `key` is the caller's API key; ICECORE_KEY where left out, and none where that is not set either.
    """

    url: str = field(default_factory=lambda: os.environ.get("ICECORE_URL", DEFAULT_URL))
    key: str | None = field(default_factory=lambda: os.environ.get("ICECORE_KEY"), repr=False)
    read_timeout_s: float = READ_TIMEOUT_S
    connect_timeout_s: float = CONNECT_TIMEOUT_S

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise IcecoreError(
                "BAD_USER_INPUT", f"{self.url!r} is no address of a server. Give one such as {DEFAULT_URL}."
            )

    @staticmethod
    def of(url: str | None = None, key: str | None = None) -> "Client":
        """What is None is taken from the environment."""
        settled = Client() if url is None else Client(url)
        return settled if key is None else replace(settled, key=key)

    def query(self, document: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The `data` of the answer. Raises IcecoreError with the server's code and message; UNREACHABLE, retryable,
        where there was no answer."""
        connection = self._connect()
        try:
            response = self._request(connection, document, variables or {}, _GRAPHQL)
            return _data(self, response)
        except (OSError, http.client.HTTPException) as error:
            raise self._broken(error) from error
        finally:
            connection.close()

    def subscribe(self, document: str, variables: Mapping[str, Any] | None = None) -> "ArrowSubscription":
        """The batches of a subscription. Raises as `query` does, before the first batch."""
        connection = self._connect()
        try:
            response = self._request(connection, document, variables or {}, ARROW_STREAM)
            if response.getheader("content-type", "").partition(";")[0].strip() != ARROW_STREAM:
                _data(self, response)
                raise IcecoreError("BAD_USER_INPUT", "Only subscriptions of batches can be read as an Arrow stream.")
            return ArrowSubscription(self, connection, response)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._broken(error) from error
        except BaseException:
            connection.close()
            raise

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, parts.port, timeout=self.connect_timeout_s, context=context)
        else:
            connection = http.client.HTTPConnection(host, parts.port, timeout=self.connect_timeout_s)
        return connection

    def _request(
        self, connection: http.client.HTTPConnection, document: str, variables: Mapping[str, Any], accept: str
    ) -> http.client.HTTPResponse:
        body = json.dumps({"query": document, "variables": variables})
        headers = {"content-type": "application/json", "accept": accept, "user-agent": "icecore-python"}
        if self.key is not None:
            headers["authorization"] = f"Bearer {self.key}"
        connection.connect()
        connection.sock.settimeout(self.read_timeout_s)
        _notice_dead_peers(connection.sock)
        connection.request("POST", f"{urlsplit(self.url).path.rstrip('/')}/graphql", body, headers)
        return connection.getresponse()

    def _broken(self, error: Exception) -> IcecoreError:
        if isinstance(error, ssl.SSLCertVerificationError):
            return IcecoreError("UNREACHABLE", f"{self.url} is not trusted: {error.verify_message}.")
        if isinstance(error, TimeoutError):
            return unreachable(f"{self.url} has said nothing for too long.")
        return unreachable(f"{self.url} cannot be read from: {str(error) or type(error).__name__}.")


class ArrowSubscription:
    """One connection that batches come through. To be closed by whoever opened it."""

    def __init__(
        self, client: Client, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._client = client
        self._connection = connection
        self._response = response
        try:
            self._reader = pa.ipc.open_stream(pa.PythonFile(ResponseBody(response), mode="r"))
        except (OSError, pa.ArrowException) as error:
            raise self._cut(error) from error

    @property
    def schema(self) -> pa.Schema:
        return self._reader.schema

    def next_batch(self) -> tuple[pa.RecordBatch, dict[str, str]] | None:
        """The next batch and its own metadata; None where the stream has ended, which says nothing about whether it
        is whole. Raises IcecoreError, retryable, where the connection breaks."""
        try:
            batch, metadata = self._reader.read_next_batch_with_custom_metadata()
        except StopIteration:
            return None
        except (OSError, pa.ArrowException) as error:
            raise self._cut(error) from error
        return batch, {key.decode(): value.decode() for key, value in dict(metadata or {}).items()}

    def close(self) -> None:
        """The server notices and frees what it held."""
        self._response.close()
        self._connection.close()

    def __enter__(self) -> "ArrowSubscription":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cut(self, error: Exception) -> IcecoreError:
        if isinstance(error, TimeoutError):
            return unreachable(f"{self._client.url} has sent nothing for {self._client.read_timeout_s:g} seconds.")
        reason = str(error) or type(error).__name__
        return unreachable(f"The stream from {self._client.url} broke off: {reason}.")


def _data(client: Client, response: http.client.HTTPResponse) -> dict[str, Any]:
    text = response.read(_JSON_BYTES_MAX)
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or not ("data" in answer or answer.get("errors")):
        # A proxy's page, or another program's: its status is all there is to go by.
        said = f"{client.url} answered with status {response.status} and no GraphQL result. Is this Icecore's address?"
        again = response.status >= 500 or response.status in (408, 429)
        raise IcecoreError("UNREACHABLE", said, retryable=again)
    errors = answer.get("errors")
    if errors:
        raise _refusal(errors[0], response.status)
    data = answer["data"]
    return data if isinstance(data, dict) else {}


def _refusal(error: Mapping[str, Any], status: int) -> IcecoreError:
    context = dict(error.get("extensions") or {})
    code = str(context.pop("code", "INTERNAL"))
    retryable = code in ("OVERLOADED", "TIMEOUT", "INTERNAL") or status in (502, 503, 504)
    if "bytesMax" in context and int(context.get("bytesNeeded", 0)) > int(context["bytesMax"]):
        # It will never fit.
        retryable = False
    return IcecoreError(code, str(error.get("message", "")), retryable=retryable, context=context)


def _notice_dead_peers(connected: socket.socket) -> None:
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, seconds in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)
