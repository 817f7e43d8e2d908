"""The result of a check."""

from typing import NamedTuple

CLOCK_SKEW_MAX_S = 5.0
# What waits for longer waits for nobody.
WAITING_MAX_S = 60.0


class Check(NamedTuple):
    """One check. `fix` says what to do when it is not healthy."""

    name: str
    healthy: bool
    detail: str
    fix: str = ""


def skew(name: str, seconds: float, whose: str) -> Check:
    """The check of a clock's difference from ours."""
    detail = f"{seconds:.3f} s from {whose}"
    return Check(name, abs(seconds) <= CLOCK_SKEW_MAX_S, detail, "synchronise both clocks (NTP)")
