"""How long, and how often, a broken connection is tried again."""

import logging
import random
import time

from icecore.errors import IcecoreError

_log = logging.getLogger("icecore")

_FIRST_PAUSE_S = 0.1
_PAUSE_S_MAX = 15.0

#: A server that has failed so often in the same way will fail again.
_INTERNAL_MAX = 4


class Patience:
    """Pauses between attempts, longer each time and never the same for two readers, until nothing has come for
    `seconds`. Progress makes it whole again."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._failures = 0
        self._since: float | None = None

    def progressed(self) -> None:
        self._failures = 0
        self._since = None

    def pause(self, error: IcecoreError, doing: str) -> None:
        """Waits before the next attempt. Raises the error where it is not worth one, or patience is at its end."""
        now = time.monotonic()
        since = self._since = now if self._since is None else self._since
        hopeless = error.code == "INTERNAL" and self._failures >= _INTERNAL_MAX
        if not error.retryable or hopeless or now - since >= self._seconds:
            raise error
        longest = min(_PAUSE_S_MAX, _FIRST_PAUSE_S * 2.0 ** min(self._failures, 20))
        pause = min(random.uniform(longest / 2, longest), since + self._seconds - now)
        self._failures += 1
        _log.warning("%s: %s Trying again in %.1f s.", doing, error, pause)
        time.sleep(pause)
