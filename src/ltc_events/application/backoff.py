"""Randomised exponential backoff between attempts, so that conflicting writers do not conflict again."""

import random
import time

from ltc_events.application.errors import Contention

CONTENTION_LIMIT_S = 30.0
# About the time of one commit: who waits a random part of it most likely comes after the one who was quicker.
_FIRST_WAIT_S = 0.002
_WAIT_MAX_S = 0.1


class Backoff:
    """Waits of random length whose upper bound doubles from 2 ms to 100 ms, for at most `limit_s` seconds in total."""

    def __init__(self, limit_s: float = CONTENTION_LIMIT_S) -> None:
        self._limit_s = limit_s
        self._deadline = time.monotonic() + limit_s
        self.attempts = 0
        """How many attempts were in vain."""

    def wait(self) -> None:
        """Wait before the next attempt. Raises Contention after `limit_s` seconds in total."""
        self.attempts += 1
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise Contention(attempts=self.attempts, seconds=f"{self._limit_s:g}")
        bound = min(_WAIT_MAX_S, _FIRST_WAIT_S * 2 ** min(self.attempts - 1, 10))
        time.sleep(min(left, random.uniform(0, bound)))  # noqa: S311 - nobody is to be kept from guessing it
