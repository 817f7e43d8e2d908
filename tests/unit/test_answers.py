"""Answers and dead letters are never larger than their topics take."""

from uuid import UUID

import orjson
import pytest

from ltc_events.bus.outcome_messages import HEADERS_BYTES_MAX, TEXT_BYTES_MAX, dead_letter_message, fitting
from ltc_events.bus.records import packed
from ltc_events.bus.topics import ANSWER_BYTES_MAX, LETTER_BYTES_MAX, MESSAGE_BYTES_MAX
from ltc_events.schemas.outcome import Outcome, Refusal, Status
from ltc_events.schemas.undecodable import Undecodable

ID = UUID("0190a000-0000-7000-8000-000000000001")
PLACE = ("ltc.commands", 1, 2)


def refused(*reasons: Refusal) -> Outcome:
    return Outcome(ID, "order.place.v1", b"", Status.REFUSED, reasons=reasons)


def reason(number: int, message: str) -> Refusal:
    return Refusal(code="malformed", field=f"lines.{number}", message=message, fix="write it otherwise")


def test_an_answer_that_fits_is_told_as_it_is() -> None:
    told = refused(*[reason(number, "too long") for number in range(10_000)]).document()
    assert fitting(told) == orjson.dumps(told)


@pytest.mark.parametrize("message", ["x" * 500, "é" * 5_000, chr(34) * 20_000], ids=["many", "umlauts", "escapes"])
def test_an_answer_that_does_not_fit_says_what_is_left_out(message: str) -> None:
    whole = refused(*[reason(number, message) for number in range(10_000)])
    answer = fitting(whole.document())
    told = orjson.loads(answer)
    assert ANSWER_BYTES_MAX * 0.9 < len(answer) <= ANSWER_BYTES_MAX
    assert (told["command_id"], told["status"]) == (str(ID), "refused")
    *kept, last = told["reasons"]
    assert [one["field"] for one in kept] == [f"lines.{number}" for number in range(len(kept))]
    assert last["code"] == "answer_cut"
    assert f"{10_000 - len(kept)} of 10000 reasons are left out" in last["message"]
    assert str(ANSWER_BYTES_MAX) in last["message"]


def test_one_reason_that_does_not_fit_ends_early() -> None:
    answer = fitting(refused(reason(1, "é" * ANSWER_BYTES_MAX)).document())
    first, last = orjson.loads(answer)["reasons"]
    assert first["message"].startswith("ééé")
    assert first["message"].endswith("é …")
    assert TEXT_BYTES_MAX - 2 < len(first["message"].encode()) <= TEXT_BYTES_MAX + 4
    assert "0 of 1 reasons are left out, and long ones end early" in last["message"]


def test_a_dead_letter_is_as_it_came() -> None:
    value = b"x" * (LETTER_BYTES_MAX - 1000)
    key, kept, headers = dead_letter_message(b"k", value, [("a", b"b")], PLACE, Undecodable(reason="no"))
    assert (key, kept, headers[0]) == (b"k", value, ("a", b"b"))
    assert "ltc_size" not in dict(headers)


@pytest.mark.parametrize(
    ("key", "value", "headers"),
    [
        (b"k", 3 * MESSAGE_BYTES_MAX, [("a", b"b")]),
        (b"k", LETTER_BYTES_MAX, [("a", b"b")]),
        (b"k" * 2 * MESSAGE_BYTES_MAX, 10, [("a", b"b")]),
        (None, 10, [("a", b"b"), ("large", b"b" * MESSAGE_BYTES_MAX)]),
        (None, 10, [("n" * MESSAGE_BYTES_MAX, b""), ("a", b"b")]),
        (b"k", MESSAGE_BYTES_MAX, [(f"h{number}", b"") for number in range(500_000)]),
        (b"k" * HEADERS_BYTES_MAX, MESSAGE_BYTES_MAX, [("a", b"b" * (HEADERS_BYTES_MAX - 100))]),
    ],
    ids=["value", "hardly", "key", "header", "name", "headers", "all"],
)
def test_a_dead_letter_that_does_not_fit_is_cut(key: bytes | None, value: int, headers: list[tuple[str, bytes]]) -> None:
    error = Undecodable(reason="r" * MESSAGE_BYTES_MAX, at="f" * MESSAGE_BYTES_MAX, fix="x" * MESSAGE_BYTES_MAX)
    message = dead_letter_message(key, b"v" * value, headers, PLACE, error)
    # And 61 bytes before the first record of a batch.
    assert len(packed(message, 0)) + 61 <= MESSAGE_BYTES_MAX
    size = int(dict(message[2])["ltc_size"])
    assert size > LETTER_BYTES_MAX
    assert size >= value + len(key or b"")
    assert dict(message[2])["ltc_offset"] == b"2"
    assert message[1] is not None
    assert message[1] == b"v" * len(message[1])
