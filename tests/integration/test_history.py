"""`ltc events history`: the changes that it shows make the state that the aggregate has."""

from itertools import groupby
from typing import Any

from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.batch import fold
from ltc_events.application.state_history import changes, fields, states
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role


def applied(state: dict[str, Any], found: dict[str, tuple[Any, Any]]) -> None:
    """Change the state as it is shown, once it is as it is said to have been."""
    for place, (was, now) in found.items():
        *within, name = place.split(".")
        part = state
        for one in within:
            part = part[one]
        assert part.get(name) == was, place
        part[name] = now


def told(value: Any) -> Any:
    """Without what is not there."""
    return {name: told(one) for name, one in value.items() if one is not None} if isinstance(value, dict) else value


def test_the_changes_of_any_aggregate_make_its_state(company: Database) -> None:
    with EventStore(company, Role.PROJECTOR) as store:
        records = sorted(store.read(0, 1_000_000), key=lambda one: (one.subject, one.version))
    nouns = set()
    for _, stream in groupby(records, lambda one: one.subject):
        past: list[Record] = []
        shown: dict[str, Any] = {}
        for record, found in states(list(stream)):
            past.append(record)
            applied(shown, found)
            assert told(shown) == told(fields(fold(past).state)), record
        nouns.add(fold(past).noun)
    assert nouns == set(AGGREGATES)


def test_only_what_changed_is_shown() -> None:
    before = {
        "status": "open",
        "lines": {"1": {"delivered": "0", "net": "10"}, "2": {"delivered": "0"}},
        "seen": ["a"],
        "by": None,
    }
    after = {
        "status": "open",
        "lines": {"1": {"delivered": "4", "net": "10"}, "3": {"delivered": "0"}},
        "seen": ["a", "b"],
        "by": None,
    }
    assert dict(changes(before, after)) == {
        "lines.1.delivered": ("0", "4"),
        "lines.3": (None, {"delivered": "0"}),
        "lines.2": ({"delivered": "0"}, None),
        "seen": (["a"], ["a", "b"]),
    }
