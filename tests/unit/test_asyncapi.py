"""The AsyncAPI document: valid by the official schema, true of what we send and take, and guarded against breaking others."""

import gzip
import json
from copy import deepcopy
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft7Validator, Draft202012Validator
from tests.commands import TIME, register

from ltc_events.bus import asyncapi
from ltc_events.bus.cloudevents import command_message, epoch_message, event_message, result_message
from ltc_events.bus.headers import Headers, Wire
from ltc_events.bus.outcome_messages import dead_letter_message
from ltc_events.schemas.base import COMMANDS, EVENTS
from ltc_events.schemas.export import RESULT_FILE, exported
from ltc_events.schemas.outcome import Outcome, Refusal, Result, Status
from ltc_events.schemas.record import RawRecord
from ltc_events.schemas.tracing import Trace
from ltc_events.schemas.undecodable import Undecodable

ROOT = Path(__file__).parents[2]
ONE, TWO = UUID(int=1), UUID(int=2)
MOMENT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
TRACE = Trace("00-" + "1" * 32 + "-" + "2" * 16 + "-01", "vendor=1")
REFUSED = Outcome(
    ONE, "lead.capture.v1", b"", Status.REFUSED, reasons=(Refusal(code="unknown", field="x", message="no", fix="do"),)
)
ACCEPTED = Outcome(ONE, "lead.capture.v1", b"", Status.ACCEPTED, 4, 6, duplicate=True)


@cache
def document() -> dict[str, Any]:
    return asyncapi.document()


@cache
def official() -> Draft7Validator:
    return Draft7Validator(json.loads(gzip.decompress((ROOT / "tests/data/asyncapi-3.0.0.json.gz").read_bytes())))


def test_it_is_valid_by_the_official_schema() -> None:
    assert [f"{list(error.path)}: {error.message}" for error in official().iter_errors(document())] == []


def test_the_official_schema_finds_what_is_wrong() -> None:
    wrong = deepcopy(document())
    wrong["operations"]["sendEvents"]["action"] = "shout"
    assert list(official().iter_errors(wrong))


def test_every_type_is_a_message_of_its_channel_and_every_payload_a_file() -> None:
    channels = document()["channels"]
    assert set(channels["commands"]["messages"]) == set(COMMANDS)
    assert set(channels["events"]["messages"]) == {*EVENTS, "epoch.began.v1"}
    assert [channel["address"] for channel in channels.values()] == [
        "ltc.commands",
        "ltc.events",
        "ltc.command-results",
        "ltc.dead-letters",
    ]
    payloads = [
        one["payload"]["schema"]["$ref"] for each in channels.values() for one in each["messages"].values() if "payload" in one
    ]
    assert {one.removeprefix("./") for one in payloads if not one.startswith("#")} == set(exported())


def test_every_reference_within_it_leads_somewhere() -> None:
    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            return [part["$ref"]] if "$ref" in part else [one for value in part.values() for one in references(value)]
        return [one for value in part for one in references(value)] if isinstance(part, list) else []

    for reference in references(document()):
        if reference.startswith("#/"):
            found: Any = document()
            for step in reference[2:].split("/"):
                found = found[step]


def headers_of(kind: str) -> Draft202012Validator:
    schema = document()["components"]["schemas"][f"{kind}Headers"]
    return Draft202012Validator(
        {**schema, "additionalProperties": kind == "deadLetter"}, format_checker=Draft202012Validator.FORMAT_CHECKER
    )


def event(customer: UUID | None, trace: Trace | None = None, epoch: str = "") -> Wire:
    ids, day = (ONE, ONE, TWO), MOMENT.date()
    return event_message(RawRecord(7, ONE, 2, "x.y.v1", b"{}", customer, MOMENT, day, MOMENT, *ids, "ann"), trace, epoch)[2]


@pytest.mark.parametrize(
    ("kind", "headers"),
    [
        ("command", command_message({**register(), "correlationid": str(ONE), "causationid": str(TWO)})[2]),
        ("command", command_message({name: value for name, value in register().items() if name not in ("time", "actor")})[2]),
        ("command", [*command_message(register())[2], *TRACE.headers()]),
        ("event", event(TWO)),
        ("event", event(TWO, TRACE)),
        ("result", result_message(REFUSED, {**register(), "traceparent": TRACE.parent, "tracestate": TRACE.state}, TIME)[2]),
        ("event", event(None)),
        ("event", event(TWO, TRACE, "1-0a")),
        ("epoch", epoch_message("2-0b", 7, TIME, "restored")[2]),
        ("result", result_message(REFUSED, register(), TIME, "1-0a")[2]),
        ("result", result_message(REFUSED, register(), TIME)[2]),
        ("deadLetter", dead_letter_message(b"k", b"v", [("x", b"y")], ("ltc.commands", 0, 0), Undecodable(reason="no"))[2]),
    ],
)
def test_the_headers_are_those_of_real_messages(kind: str, headers: Headers | Wire) -> None:
    told = {name: value.decode() for name, value in headers}
    headers_of(kind).validate(told)
    required = document()["components"]["schemas"][f"{kind}Headers"]["required"]
    for name in required:
        assert not headers_of(kind).is_valid({key: value for key, value in told.items() if key != name})


def test_word_of_an_epoch_is_told_as_its_schema_says() -> None:
    schema = document()["components"]["schemas"]["epochBegan"]
    Draft202012Validator(schema).validate(json.loads(epoch_message("2-0b", 7, TIME, "restored")[1] or b""))


@pytest.mark.parametrize("outcome", [REFUSED, ACCEPTED])
def test_an_outcome_is_told_as_its_schema_says(outcome: Outcome) -> None:
    told = outcome.document()
    Draft202012Validator(exported()[RESULT_FILE]).validate(told)
    assert json.loads(Result.model_validate(told).model_dump_json()) == told


def changed(path: str, value: Any = None) -> dict[str, Any]:
    """The document with one thing taken out, or set."""
    copy = deepcopy(document())
    *steps, last = path.split("/")
    place: Any = copy
    for step in steps:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return copy


HEADERS = "components/schemas"


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (changed("channels/events"), "the channel events is gone"),
        (changed("channels/events/address", "other"), "was ltc.events and is now other"),
        (changed("channels/commands/messages/lead.capture.v1"), "commands no longer knows lead.capture.v1"),
        (changed(f"{HEADERS}/commandHeaders/required", ["ce_actor"]), "ce_actor is required now"),
        (changed(f"{HEADERS}/commandHeaders/properties/ce_actor/maxLength", 10), "maxLength 10"),
        (changed(f"{HEADERS}/eventHeaders/required", ["ce_id"]), "ce_position is no longer always there"),
        (changed(f"{HEADERS}/eventHeaders/properties/ce_source", {"type": "string"}), "ce_source is no longer always ltc-events"),
    ],
)
def test_what_breaks_others_is_told(new: dict[str, Any], says: str) -> None:
    assert any(says in problem for problem in asyncapi.incompatibilities(document(), new))


def test_what_breaks_nobody_is_not_told() -> None:
    assert asyncapi.incompatibilities(document(), document()) == []
    assert asyncapi.incompatibilities({}, document()) == [], "there was none before"
    more = changed(f"{HEADERS}/eventHeaders/properties/ce_more", {"type": "string"})
    assert asyncapi.incompatibilities(document(), more) == []
