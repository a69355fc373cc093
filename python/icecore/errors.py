"""What Icecore's server, or the way to it, says no with."""

from collections.abc import Mapping
from typing import Any

#: Beside the server's own codes (`BAD_USER_INPUT`, `NOT_FOUND`, `OVERLOADED`, ...): nobody answered, or not in full.
UNREACHABLE = "UNREACHABLE"


class IcecoreError(Exception):
    """A refusal: `code` is one of a closed set, `message` names the thing, what is wrong with it and the cure."""

    def __init__(
        self, code: str, message: str, *, retryable: bool = False, context: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        #: The same request may succeed later.
        self.retryable = retryable
        #: What the server put beside the code, such as a reference into its log.
        self.context: dict[str, Any] = dict(context or {})

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"

    def __reduce__(self) -> tuple[Any, ...]:
        # Workers of a DataLoader and of Ray send their errors by pickle.
        return _rebuilt, (type(self), self.code, self.message, self.retryable, self.context)


def unreachable(message: str) -> IcecoreError:
    """Nobody answered, or the answer broke off: worth another try."""
    return IcecoreError(UNREACHABLE, message, retryable=True)


def _rebuilt(
    kind: type[IcecoreError], code: str, message: str, retryable: bool, context: dict[str, Any]
) -> IcecoreError:
    return kind(code, message, retryable=retryable, context=context)
