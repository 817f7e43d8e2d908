"""The checker finds nothing wrong with what is right, and each thing that is wrong."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from tests.e2e.faults.checker import undisturbed, violations
from tests.e2e.faults.facts import Facts, Seen
from tests.e2e.faults.load import Load

TOPIC = "t.commands"
CUSTOMER = "c1"
DOCUMENTS = [{"id": f"k{number}", "partitionkey": CUSTOMER, "data": {"number": number}} for number in (1, 2)]
COMMANDS = {(b"c1", json.dumps(one).encode(), ()): one for one in DOCUMENTS}
GARBAGE = (b"c1", b"garbage", ())
LOAD = Load([], [*COMMANDS, GARBAGE], COMMANDS, frozenset())


def event(position: int, version: int, command: str) -> Any:
    data = b"data %d" % position
    return SimpleNamespace(
        position=position, stream_id="s1", version=version, type="t", customer_id=CUSTOMER, command_id=command, data=data
    )


def on_kafka(stored: Any) -> Seen:
    return Seen(0, stored.position - 1, b"c1", stored.data, (("ce_position", b"%d" % stored.position),))


def answer(command: str, positions: list[int], status: str = "accepted") -> Seen:
    body = {"command_id": command, "status": status, "first_outcome": status, "positions": positions, "reasons": []}
    return Seen(0, 0, b"c1", json.dumps(body).encode(), (("ce_id", command.encode()),))


def told_in(epoch: str, answer: Seen) -> Seen:
    return answer._replace(headers=(*answer.headers, ("ce_epoch", epoch.encode())))


def reused(command: str) -> Seen:
    refused = answer(command, [], "refused")
    body = json.loads(refused.value or b"") | {"reasons": [{"code": "command_id_reused"}]}
    return refused._replace(value=json.dumps(body).encode())


def outcome(command: str, first: int, last: int, status: str = "accepted") -> Any:
    return SimpleNamespace(command_id=command, status=status, first_position=first, last_position=last, reasons=[])


EVENTS = [event(1, 1, "k1"), event(2, 2, "k1"), event(3, 3, "k2")]
TOLD = Seen(0, 0, b"c1", b"garbage", (("ltc_topic", TOPIC.encode()), ("ltc_partition", b"0"), ("ltc_offset", b"2")))
KEPT = SimpleNamespace(partition=0, offset=2, raw=b"garbage")
RIGHT = Facts(
    commands=[Seen(0, offset, *message) for offset, message in enumerate([*COMMANDS, GARBAGE])],
    results=[answer("k1", [1, 2]), answer("k2", [3])],
    events=list(map(on_kafka, EVENTS)),
    dead_letters=[TOLD],
    stored_events=EVENTS,
    outcomes=[outcome("k1", 1, 2), outcome("k2", 3, 3)],
    kept_letters=[KEPT],
    offsets={(TOPIC, 0): 3, (f"{TOPIC}/answers", 0): 3},
    head=3,
    failures=[],
    expired=[],
    epochs=[SimpleNamespace(epoch="1-a", after=0)],
    tables={},
)


def test_what_is_right_is_right() -> None:
    assert not violations(LOAD, RIGHT, TOPIC)
    assert not violations(LOAD, RIGHT._replace(events=[*RIGHT.events, *RIGHT.events[1:]]), TOPIC), "events may come again"
    assert not violations(LOAD, RIGHT._replace(results=RIGHT.results * 2), TOPIC), "answers may come again"
    assert not undisturbed(RIGHT, EVENTS, frozenset())


OTHER = {**DOCUMENTS[1], "data": {"number": 3}}
OTHER_MESSAGE = (b"c1", json.dumps(OTHER).encode(), ())
TWO_CONTENTS = Load([], [*COMMANDS, OTHER_MESSAGE, GARBAGE], COMMANDS | {OTHER_MESSAGE: OTHER}, frozenset())
EPOCHS = [SimpleNamespace(epoch="1-a", after=0), SimpleNamespace(epoch="2-b", after=2)]
WENT_BACK = RIGHT._replace(
    commands=[Seen(0, offset, *message) for offset, message in enumerate([*COMMANDS, GARBAGE, OTHER_MESSAGE])],
    results=[told_in("1-a", answer("k1", [1, 2])), told_in("1-a", answer("k2", [3])), told_in("2-b", answer("k2", [3]))],
    offsets={(TOPIC, 0): 4, (f"{TOPIC}/answers", 0): 4},
    epochs=EPOCHS,
)


@pytest.mark.parametrize("epoch", ["1-a", "2-b"])
def test_another_content_may_have_been_refused_before_the_store_went_back(epoch: str) -> None:
    told = WENT_BACK._replace(results=[*WENT_BACK.results, told_in(epoch, reused("k2"))])
    assert not violations(TWO_CONTENTS, told, TOPIC)
    (missing,) = violations(TWO_CONTENTS, WENT_BACK, TOPIC)
    assert "came with other content, and 0 were told so" in missing


def test_a_refusal_that_was_lost_with_the_store_is_no_second_value_and_one_that_was_kept_is_the_value() -> None:
    refused = told_in("1-a", answer("k2", [], "refused"))
    results = [WENT_BACK.results[0], refused]
    lost = RIGHT._replace(results=[*results, told_in("2-b", answer("k2", [3]))], epochs=EPOCHS)
    assert not violations(LOAD, lost, TOPIC)
    first = [outcome("k1", 1, 2), outcome("k2", 0, 0, "refused")]
    kept = RIGHT._replace(
        results=results, epochs=EPOCHS, outcomes=first, stored_events=EVENTS[:2], events=RIGHT.events[:2], head=2
    )
    assert not violations(LOAD, kept, TOPIC)
    (told,) = violations(LOAD, lost._replace(results=results), TOPIC)
    assert "command k2 was never told what is recorded" in told


def test_an_answer_that_comes_late_counts_no_more_where_the_command_was_answered_in_a_later_epoch() -> None:
    epochs = [EPOCHS[0], SimpleNamespace(epoch="2-b", after=3)]
    late = RIGHT._replace(results=[*WENT_BACK.results[:2], told_in("1-a", answer("k2", [2]))], epochs=epochs)
    (told,) = violations(LOAD, late, TOPIC)
    assert "command k2 was told" in told
    assert not violations(LOAD, late._replace(results=[*late.results, told_in("2-b", answer("k2", [3]))]), TOPIC)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (lambda one: one._replace(commands=one.commands[1:]), "is not on the topic"),
        (lambda one: one._replace(outcomes=one.outcomes[:1]), "command k2 has no outcome"),
        (lambda one: one._replace(outcomes=[*one.outcomes, one.outcomes[0]]), "command k1 has 2 outcomes"),
        (lambda one: one._replace(outcomes=[*one.outcomes, outcome("k9", 0, 0)]), "command k9 was never sent"),
        (lambda one: one._replace(stored_events=[*EVENTS, event(4, 4, "k1")], head=4), "made [1, 2, 4]"),
        (lambda one: one._replace(stored_events=EVENTS[:2]), "with the events [3], and made []"),
        (lambda one: one._replace(outcomes=[outcome("k1", 3, 3), outcome("k2", 1, 2)]), "took effect before it"),
        (lambda one: one._replace(results=one.results[:1]), "command k2 came 1 times and was answered 0 times"),
        (lambda one: one._replace(results=[*one.results, answer("k2", [4])]), "command k2 was told"),
        (lambda one: one._replace(results=[one.results[0], answer("k2", [], "refused")]), "was never told what is recorded"),
        (lambda one: one._replace(stored_events=[*EVENTS[:2], event(3, 4, "k2")]), "has the versions [1, 2, 4]"),
        (lambda one: one._replace(stored_events=[*EVENTS[:2], event(4, 3, "k2")]), "positions have gaps"),
        (lambda one: one._replace(head=4), "the head is at 4"),
        (lambda one: one._replace(events=one.events[:2]), "on Kafka, the events of c1"),
        (lambda one: one._replace(events=one.events[::-1]), "on Kafka, the events of c1"),
        (lambda one: one._replace(events=[*one.events[:2], one.events[2]._replace(value=b"")]), "is not what is stored"),
        (lambda one: one._replace(events=[*one.events[:2], one.events[2]._replace(partition=1)]), "on the partitions [0, 1]"),
        (lambda one: one._replace(kept_letters=[]), "garbage at (0, 2) is not among the dead letters"),
        (lambda one: one._replace(kept_letters=[KEPT, KEPT]), "garbage at (0, 2) is 2 times among the dead letters"),
        (lambda one: one._replace(kept_letters=[SimpleNamespace(partition=0, offset=2, raw=b"x")]), "not kept as it came"),
        (lambda one: one._replace(kept_letters=[KEPT, SimpleNamespace(partition=0, offset=1, raw=b"x")]), "is no garbage"),
        (lambda one: one._replace(dead_letters=[]), "was not told on the topic"),
        (lambda one: one._replace(dead_letters=[TOLD._replace(value=b"x")]), "is not what came"),
        (lambda one: one._replace(offsets=one.offsets | {(TOPIC, 0): 2}), "ends at 3, and is read to 2"),
        (lambda one: one._replace(failures=["orders stopped"]), "projection orders stopped"),
        (lambda one: one._replace(tables={"orders": "1 row differs"}), "read table orders is not what the store says"),
    ],
)
def test_what_is_wrong_is_found(wrong: Callable[[Facts], Facts], told: str) -> None:
    found = violations(LOAD, wrong(RIGHT), TOPIC)
    assert any(told in one for one in found), found


def test_an_effect_that_faults_have_changed_is_found() -> None:
    (told,) = undisturbed(RIGHT, EVENTS[:2], frozenset())
    assert "the events of customer c1 are" in told
    assert not undisturbed(RIGHT, EVENTS[:2], frozenset([CUSTOMER])), "of whom that is open"
