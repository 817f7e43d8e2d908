"""CloudEvents on Kafka: what we send reads as the specification says, and what cannot be read is refused with a reason."""

import json
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from tests.commands import TIME, register

from ltc_events.bus.cloudevents import (
    command_document,
    command_message,
    command_parts,
    event_message,
    result_message,
    undecodable_message,
)
from ltc_events.bus.outcome_messages import dead_letter_message
from ltc_events.schemas.envelope import parse
from ltc_events.schemas.outcome import Outcome, Refusal, Status
from ltc_events.schemas.record import RawRecord
from ltc_events.schemas.undecodable import Undecodable

ONE, TWO, THREE = (UUID(int=number) for number in (1, 2, 3))
COMMAND = register()
KEY, VALUE, HEADERS = command_message(COMMAND)


def changed(name: str, value: bytes | None) -> list[tuple[str, Any]]:
    return [(header, value if header == name else old) for header, old in HEADERS]


def test_a_command_in_binary_mode_is_what_was_sent() -> None:
    assert command_document(HEADERS, KEY, VALUE) == COMMAND
    assert COMMAND["partitionkey"].encode() == KEY
    assert ("content-type", b"application/json") in HEADERS
    assert {name for name, _ in HEADERS} >= {"ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_partitionkey"}


@pytest.mark.parametrize("content_type", ["application/cloudevents+json", "Application/CloudEvents+JSON; charset=utf-8"])
def test_a_command_in_structured_mode_is_what_was_sent(content_type: str) -> None:
    headers = [("content-type", content_type.encode())]
    assert command_document(headers, KEY, json.dumps(COMMAND).encode()) == COMMAND


def test_both_modes_are_the_same_command() -> None:
    structured = command_document([("Content-Type", b"application/cloudevents+json")], KEY, json.dumps(COMMAND).encode())
    hashes = {parse(one, TIME).content_hash for one in (structured, command_document(HEADERS, KEY, VALUE))}
    assert len(hashes) == 1


def test_names_of_headers_have_no_case_and_foreign_headers_do_not_matter() -> None:
    headers = [(name.upper(), value) for name, value in HEADERS]
    assert command_document([*headers, ("traceparent", b"\xff"), ("ce_odd", None)], KEY, VALUE) == COMMAND


@pytest.mark.parametrize(
    ("headers", "key", "value", "says"),
    [
        (HEADERS, KEY, None, "no value"),
        ([], KEY, VALUE, "neither ce_ headers"),
        (HEADERS, None, VALUE, "key is none"),
        (HEADERS, b"other", VALUE, "key is 'other'"),
        (HEADERS, b"\xff", VALUE, r"\xff"),
        (HEADERS, KEY, b"{", "not JSON"),
        (HEADERS, KEY, b"\xff", "not JSON"),
        (changed("ce_source", b"\xff"), KEY, VALUE, "ce_source is not UTF-8"),
        (changed("ce_partitionkey", None), KEY, VALUE, "partitionkey is missing"),
        (changed("ce_partitionkey", b"x"), b"x", VALUE, "not a UUID"),
        (changed("ce_partitionkey", KEY.upper()), KEY.upper(), VALUE, "usual way"),
        (changed("ce_partitionkey", b"{%s}" % KEY), b"{%s}" % KEY, VALUE, "usual way"),
        ([("content-type", b"application/cloudevents+json")], KEY, b"[1]", "not a JSON object"),
        ([("content-type", b"application/cloudevents+json")], KEY, b'{"partitionkey": 1}', "partitionkey is missing"),
        ([("content-type", b"application/cloudevents-batch+json")], KEY, b"[]", "neither ce_ headers"),
    ],
)  # fmt: skip
def test_what_is_no_command_is_refused_with_a_reason(headers: Any, key: bytes | None, value: bytes | None, says: str) -> None:
    with pytest.raises(Undecodable) as error:
        command_document(headers, key, value)
    assert says in error.value.message


def test_another_spelling_of_the_customer_is_another_partition_and_refused() -> None:
    customer = "ABCDEFAB-CDEF-4BCD-8BCD-ABCDEFABCDEF"
    headers = changed("ce_partitionkey", customer.encode())
    with pytest.raises(Undecodable, match=customer.lower()):
        command_document(headers, customer.encode(), VALUE)


def test_an_event_carries_its_exact_bytes_and_all_that_is_recorded_of_it() -> None:
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    record = RawRecord(7, ONE, 2, "lead.captured.v1", b'{"a": 1.10}', TWO, moment, date(2026, 3, 1), moment, THREE, ONE, TWO, "ñ")
    key, value, headers = event_message(record)
    assert (key, value) == (str(TWO).encode(), b'{"a": 1.10}')
    assert {name: text.decode() for name, text in headers} == {
        "ce_specversion": "1.0",
        "ce_id": "7",
        "ce_source": "ltc-events",
        "ce_type": "ltc.lead.captured.v1",
        "ce_subject": str(ONE),
        "ce_time": "2026-03-02T09:30:00Z",
        "ce_partitionkey": str(TWO),
        "ce_customerid": str(TWO),
        "ce_position": "7",
        "ce_version": "2",
        "ce_effectiveon": "2026-03-01",
        "ce_recordedat": "2026-03-02T09:30:00Z",
        "ce_commandid": str(THREE),
        "ce_correlationid": str(ONE),
        "ce_causationid": str(TWO),
        "ce_actor": "ñ",
        "content-type": "application/json",
    }


def test_an_event_of_the_company_has_its_subject_as_key() -> None:
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    record = RawRecord(1, ONE, 1, "policy.published.v1", b"{}", None, moment, moment.date(), moment, ONE, ONE, ONE, "ann")
    key, _, headers = event_message(record)
    assert key == str(ONE).encode()
    assert "ce_customerid" not in dict(headers)


def test_a_result_says_what_became_of_the_command() -> None:
    reason = Refusal(code="unknown_customer", field="", message="there is none", fix="register it")
    outcome = Outcome(UUID(COMMAND["id"]), "customer.register.v1", b"", Status.REFUSED, reasons=(reason,))
    key, value, headers = result_message(outcome, COMMAND, TIME)
    assert key == KEY
    assert json.loads(value)["reasons"][0]["code"] == "unknown_customer"
    assert dict(headers)["ce_id"] == dict(headers)["ce_causationid"] == COMMAND["id"].encode()
    assert dict(headers)["ce_subject"] == COMMAND["subject"].encode()


def test_a_dead_letter_is_the_message_as_it_came_and_why() -> None:
    error = Undecodable(reason="no value", at="data", fix="give it one", command_id=UUID(COMMAND["id"]))
    key, value, headers = dead_letter_message(b"\xff", None, [("ce_id", b"\xff")], ("ltc.commands", 3, 17), error)
    assert (key, value, headers[0]) == (b"\xff", None, ("ce_id", b"\xff"))
    told = {"ltc_reason": b"this is not a command: no value", "ltc_field": b"data", "ltc_fix": b"give it one"}
    place = {"ltc_topic": b"ltc.commands", "ltc_partition": b"3", "ltc_offset": b"17"}
    assert dict(headers[1:]) == {**told, **place, "ltc_commandid": COMMAND["id"].encode()}
    assert dead_letter_message(None, None, [], ("ltc.commands", 0, 0), Undecodable(reason=""))[1] == b""


def test_what_is_no_command_is_answered_where_its_id_can_be_read() -> None:
    wrong = [(name, b"nobody" if name == "ce_subject" else value) for name, value in command_message(COMMAND)[2]]
    with pytest.raises(Undecodable) as error:
        parse(command_document(wrong, COMMAND["partitionkey"].encode(), b"{}"), TIME)
    told = undecodable_message(COMMAND["partitionkey"].encode(), error.value, TIME)
    assert told is not None
    key, value, headers = told
    assert (key, dict(headers)["ce_id"]) == (COMMAND["partitionkey"].encode(), COMMAND["id"].encode())
    answer = json.loads(value)
    assert (answer["command_id"], answer["status"], answer["first_outcome"]) == (COMMAND["id"], "undecodable", None)
    assert (answer["reasons"][0]["field"], "UUID with its hyphens" in answer["reasons"][0]["fix"]) == ("subject", True)
    assert undecodable_message(b"anything", error.value, TIME)[0] == COMMAND["id"].encode()  # type: ignore[index]
    assert undecodable_message(None, Undecodable(reason="it is garbage"), TIME) is None


@pytest.mark.parametrize("structured", [False, True])
def test_a_field_that_comes_twice_is_refused_in_both_modes(structured: bool) -> None:
    key, _, headers = command_message(COMMAND)
    if structured:
        value = json.dumps(COMMAND)[:-1].encode() + b', "source": "another"}'
        headers = [("content-type", b"application/cloudevents+json")]
    else:
        value = b'{"amount": "1", "amount": "1000000", "currency": "EUR"}'
    with pytest.raises(Undecodable, match="twice") as error:
        command_document(headers, key, value)
    assert error.value.command_id in (UUID(COMMAND["id"]), None)
    if not structured:
        document, data = command_parts(headers, key, value)
        with pytest.raises(Undecodable, match="amount twice"):
            parse(document, TIME, data)
