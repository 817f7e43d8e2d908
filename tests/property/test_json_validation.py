"""What the core alone accepts of a command's JSON is what the command's own validator accepts, and it makes the same of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ltc_events.kernel.ids import reserved_id
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.envelope import parse
from ltc_events.schemas.json_validation import json_validator, may_name_reserved
from ltc_events.schemas.registry import COMMANDS
from ltc_events.simulation import simulate

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ODD = (
    *("", "2026-01-31", "2026-02-30", "1767225600", "2026-1-31", "1899-12-31", "2200-01-01", " 2026-01-31", "2026-01-31\n"),
    *("2026-01-31T12:00:00Z", "2026-01-31 12:00:00+02:00", "2026-01-31T12:00Z", "2026-01-31T12:00:00", "1767225600.5"),
    *(
        "1",
        "-1",
        "1.",
        ".5",
        "1e3",
        "1_000",
        "NaN",
        "Infinity",
        "0.1234567890",
        "1234567890123456",
        "١٢",
        "-0",
        "+1",
        " 1",
        "1\n",
    ),
    *("0190a000-0000-7000-8000-000000000001", "0190A000-0000-7000-8000-00000000000A", "0190a000000070008000000000000001"),
    *("{0190a000-0000-7000-8000-000000000001}", "0190a000-0000-7000-8000-00000000000g", "x" * 36, "x" * 5000, "EUR", "EUX"),
    *(0, 1, -1, 2**31, 10**30, 1.5, True, False, None, [], {}, [1] * 200, ["a"] * 10_001, {"a": "b"}),
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield (*at, name)
        yield from paths(one, (*at, name))


def changed(value: Any, at: tuple[Any, ...], other: Any) -> Any:
    """A copy with something else at a place."""
    if not at:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[at[0]] = changed(copy[at[0]], at[1:], other)
    return copy


SENT = {document["type"]: document for document in map(orjson.loads, simulate(7, 25, 365))}
for one in SENT.values():
    one["data"]["effective_on"] = "2026-03-01"
CASES = [(document, at) for document in SENT.values() for at in paths(document["data"])]


@pytest.mark.parametrize("type", sorted(SENT))
def test_what_is_sent_is_accepted_by_the_core_alone(type: str) -> None:
    document = SENT[type]
    model = COMMANDS[type.removeprefix(WIRE_PREFIX)]
    for day in ("2026-03-01", date(2026, 3, 1)):
        data = {**document["data"], "effective_on": day, "occurred_at": NOW}
        assert json_validator(model)(data) == model.model_validate(data)


def test_the_functions_that_check_forms_are_not_called() -> None:
    """pydantic's core takes the validator of a class as it was built, and its functions along, unless it is told not to: a value
    that is made in Python passes the functions and has no form of a text."""
    model = COMMANDS["lead.convert.v1"]
    data = {**SENT["ltc.lead.convert.v1"]["data"], "occurred_at": NOW}
    made = model.model_validate(data)
    (name,) = (name for name in data if isinstance(getattr(made, name), UUID))
    data[name] = getattr(made, name)
    assert model.model_validate(data) == made
    with pytest.raises(ValidationError):
        json_validator(model)(data)


@settings(max_examples=400)
@given(st.sampled_from(CASES), st.one_of(st.sampled_from(ODD), st.text(max_size=40), st.decimals().map(str)))
def test_the_core_accepts_nothing_else_and_makes_the_same_of_it(case: tuple[dict[str, Any], tuple[Any, ...]], odd: Any) -> None:
    document, at = case
    model = COMMANDS[document["type"].removeprefix(WIRE_PREFIX)]
    data = {**changed(document["data"], at, odd), "occurred_at": NOW}
    try:
        accepted = json_validator(model)(data)
    except ValidationError:
        return
    own = model.model_validate(data)
    assert accepted == own
    assert accepted.model_fields_set == own.model_fields_set


@pytest.mark.parametrize("odd", ODD, ids=repr)
@pytest.mark.parametrize("type", ["invoice.issue.v1", "order.place.v1", "payment.receive.v1"])
def test_every_odd_value_of_every_field(type: str, odd: Any) -> None:
    document = SENT[WIRE_PREFIX + type]
    model = COMMANDS[type]
    for at in paths(document["data"]):
        data = {**changed(document["data"], at, odd), "occurred_at": NOW}
        try:
            accepted = json_validator(model)(data)
        except ValidationError:
            continue
        assert accepted == model.model_validate(data)


@pytest.mark.parametrize("write", [str.lower, str.upper], ids=["small", "capital"])
def test_an_id_that_is_reserved_is_refused_wherever_it_stands(write: Any) -> None:
    reserved = write(str(reserved_id("policy", "company")))
    assert may_name_reserved(orjson.dumps([reserved]))
    for document, at in CASES:
        model = COMMANDS[document["type"].removeprefix(WIRE_PREFIX)]
        data = changed(document["data"], at, reserved)
        try:
            model.model_validate({**data, "occurred_at": NOW})
        except ValidationError:
            assert parse(document | {"data": data}, NOW).command is None


def test_days_are_no_moments() -> None:
    """A moment is a date to Python."""
    document = SENT["ltc.lead.screen.v1"]
    model = COMMANDS["lead.screen.v1"]
    with pytest.raises(ValidationError):
        json_validator(model)({**document["data"], "effective_on": NOW, "occurred_at": NOW})
