"""Of what workers say, what is true is left alone, and what is not is found."""

from typing import Any

import pytest
from tests.e2e.faults.statements import FRESH_S, PATIENCE_S, Outage, Said, untrue

AWAY = [Outage("database", 100.0, 110.0)]


def said(asked: float, age: float, *, healthy: bool, lag: int | None, worker: str = "relay-1", measured: bool = True) -> Said:
    told: dict[Any, float] = {
        ("ltc_measurement_age_seconds", ()): age,
        ("ltc_worker_healthy", (("worker", "relay"),)): float(healthy),
    }
    if lag is not None:
        told["ltc_relay_lag_events", ()] = lag
    measured_ago = age if measured else None
    return Said(worker, asked, {"healthy": healthy, "lag": lag, "why": "…", "measured_seconds_ago": measured_ago}, told)


@pytest.mark.parametrize(
    "true",
    [
        said(99, 0.1, healthy=True, lag=0),
        said(100.1, 0.2, healthy=True, lag=0),
        said(100 + FRESH_S + 0.2, FRESH_S + 0.3, healthy=True, lag=None),
        said(109, 9.2, healthy=False, lag=None),
        said(111, 0.1, healthy=True, lag=3),
        said(105, 0.2, healthy=True, lag=None, measured=False),
        Said("relay-1", 105, None, {}),
    ],
)
def test_what_is_true_is_left_alone(true: Said) -> None:
    assert not list(untrue([true], AWAY))


@pytest.mark.parametrize(
    ("false", "told"),
    [
        (said(99, 30.0, healthy=False, lag=0), "tells ltc_relay_lag_events of 30.0 s ago"),
        (said(105, 0.1, healthy=False, lag=None), "says it has measured 0.1 s ago"),
        (said(100 + PATIENCE_S + 0.2, PATIENCE_S + 0.2, healthy=True, lag=None), "says it is healthy"),
        (said(105, 5.1, healthy=False, lag=0), "says its lag is 0"),
        (said(105, PATIENCE_S + 0.2, healthy=True, lag=None, measured=False), "says it is healthy"),
        (Said("relay-1", 99, {"healthy": True}, {("ltc_worker_healthy", ()): 1.0}), "how old its figures are"),
    ],
)
def test_what_is_not_is_found(false: Said, told: str) -> None:
    assert any(told in one for one in untrue([false], AWAY))


def test_who_does_not_ask_a_server_is_not_asked_about_it() -> None:
    assert not list(untrue([said(105, 0.1, healthy=True, lag=0)], [Outage("broker", 100.0, 110.0)]))
