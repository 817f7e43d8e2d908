"""What a look at something comes to."""

from typing import NamedTuple

CLOCK_SKEW_MAX_S = 5.0
# What waits for longer waits for nobody.
WAITING_MAX_S = 60.0


class Check(NamedTuple):
    """One thing looked at. `fix` says what to do when it is not as it should be."""

    name: str
    healthy: bool
    detail: str
    fix: str = ""


def skew(name: str, seconds: float, whose: str) -> Check:
    """How far a clock is from ours."""
    detail = f"{seconds:.3f} s from {whose}"
    return Check(name, abs(seconds) <= CLOCK_SKEW_MAX_S, detail, "synchronise both clocks (NTP)")
