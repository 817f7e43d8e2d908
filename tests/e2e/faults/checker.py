"""What must be true after every run, whatever happened in it. Pure: facts in, violations out."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, TypeVar

from tests.e2e.faults.facts import Facts, Seen
from tests.e2e.faults.load import Load

from ltc_events.bus.cloudevents import EPOCH_BEGAN
from ltc_events.bus.records import Outgoing

K = TypeVar("K")
SHOWN_MAX = 3
REUSED = "command_id_reused"


def violations(load: Load, facts: Facts, topic: str) -> list[str]:
    """What is wrong, in words; `topic` is the full name of the topic of commands."""
    sent = [(one, load.commands.get((one.key, one.value, one.headers))) for one in facts.commands]
    checks = (
        _sent(load, facts),
        _effects(sent, facts),
        _order_of_effects(sent, facts, load.twins),
        _answers(sent, facts),
        _streams(facts),
        _published(facts),
        _letters(sent, facts, topic),
        _offsets(facts, topic),
        (f"projection {one}" for one in facts.failures),
        (f"read table {name} is not what the store says: {wrong}" for name, wrong in facts.tables.items()),
    )
    return [wrong for check in checks for wrong in shortened(list(check))]


def undisturbed(facts: Facts, wanted: Sequence[Any], without: frozenset[str]) -> list[str]:
    """Compare with the events of a run without faults: per customer the same ones, in the same order.

    `without`: customers of whom it is open what becomes.
    """

    def told(events: Iterable[Any]) -> dict[str, list[tuple[Any, ...]]]:
        by_customer: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
        for one in events:
            if one.customer_id is not None and one.customer_id not in without:
                by_customer[one.customer_id].append((one.stream_id, one.version, one.type, one.command_id))
        return by_customer

    return shortened(list(_differences("the events of customer", told(facts.stored_events), told(wanted))))


def shortened(found: list[str]) -> list[str]:
    """The first few of a sort: one cause makes many."""
    rest = len(found) - SHOWN_MAX
    return found if rest <= 0 else [*found[:SHOWN_MAX], f"… and {rest} more like these"]


def _sent(load: Load, facts: Facts) -> Iterator[str]:
    there = {(one.key, one.value, one.headers) for one in (*facts.commands, *facts.expired)}
    for message in load.messages:
        if message not in there:
            yield f"a message was acknowledged and is not on the topic: {_short(message)}"


def _effects(sent: Sequence[tuple[Seen, dict[str, Any] | None]], facts: Facts) -> Iterator[str]:
    """Each command has one outcome, and its events are those that the outcome names."""
    ids = {document["id"] for _, document in sent if document}
    recorded = Counter(one.command_id for one in facts.outcomes)
    made: dict[str, list[int]] = defaultdict(list)
    for event in facts.stored_events:
        made[event.command_id].append(event.position)
    for id in ids - recorded.keys():
        yield f"command {id} has no outcome"
    for id in (recorded.keys() | made.keys()) - ids:
        yield f"command {id} was never sent, and has an outcome or events"
    for id, times in recorded.items():
        if times > 1:
            yield f"command {id} has {times} outcomes"
    for one in facts.outcomes:
        named = list(range(one.first_position, one.last_position + 1)) if one.first_position else []
        if made[one.command_id] != named:
            yield f"command {one.command_id} is {one.status} with the events {named}, and made {made[one.command_id]}"
        if one.status == "refused" and named:
            yield f"command {one.command_id} is refused, and has events"


def _order_of_effects(sent: Sequence[tuple[Seen, dict[str, Any] | None]], facts: Facts, twins: frozenset[str]) -> Iterator[str]:
    """What was sent earlier to a partition took effect earlier."""
    first = {one.command_id: one.first_position for one in facts.outcomes if one.first_position}
    reached: dict[int, tuple[int, str]] = {}
    done: set[str] = set(twins)
    for seen, document in sent:
        if document is None or document["id"] in done or document["id"] not in first:
            continue
        id = document["id"]
        done.add(id)
        before, other = reached.get(seen.partition, (0, ""))
        if first[id] < before:
            yield f"command {id} was sent after {other} and took effect before it"
        reached[seen.partition] = (first[id], id)


def _answers(sent: Sequence[tuple[Seen, dict[str, Any] | None]], facts: Facts) -> Iterator[str]:
    """Each message is answered, and all answers to a command have the value that is recorded."""
    messages = Counter(document["id"] for _, document in sent if document)
    contents: dict[str, set[str]] = defaultdict(set)
    for _, document in sent:
        if document:
            contents[document["id"]].add(json.dumps({**document, "source": ""}, sort_keys=True))
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    unsure: dict[str, list[dict[str, Any]]] = defaultdict(list)
    void: Counter[str] = Counter()
    again = _told_in(facts.results)
    for answer in facts.results:
        body = json.loads(answer.value or b"")
        if body["status"] == "undecodable":  # of garbage whose id can be read
            continue
        id, later = body["command_id"], _later(answer, facts.epochs)
        if answer.header("ce_id") != id:
            yield f"an answer has the id {answer.header('ce_id')} and is about {id}"
        if later and not body["positions"]:
            unsure[id].append(body)
        elif any(body["positions"][-1] > one.after for one in later):
            void[id] += 1
        elif any(one.epoch in again[id] for one in later):
            unsure[id].append(body)
        else:
            told[id].append(body)
    recorded = {one.command_id: one for one in facts.outcomes}
    for id in told.keys() - recorded.keys():
        yield f"command {id} was answered and has no outcome"
    for id, count in messages.items():
        answered = len(told[id]) + len(unsure[id]) + void[id]
        if answered < count:
            yield f"command {id} came {count} times and was answered {answered} times"
        if id in recorded:
            yield from _values(recorded[id], told[id], unsure[id], others=len(contents[id]) > 1)


def _told_in(results: Iterable[Seen]) -> dict[str, set[str]]:
    """By command the epochs in which it was told what is recorded of it. Of several, the last one counts."""
    found: dict[str, set[str]] = defaultdict(set)
    for answer in results:
        body = json.loads(answer.value or b"")
        if body["status"] != "undecodable" and [reason["code"] for reason in body["reasons"]] != [REUSED]:
            found[body["command_id"]].add(dict(answer.headers).get("ce_epoch", b"").decode())
    return found


def _later(answer: Seen, epochs: Sequence[Any]) -> Sequence[Any]:
    """The epochs that began after the one in which it was told: of what it tells, they lost what is behind their beginning.

    An answer without positions does not say whether it is about what was lost, and the command taken again.
    """
    told_in = dict(answer.headers).get("ce_epoch", b"").decode()
    names = [one.epoch for one in epochs]
    return epochs[names.index(told_in) + 1 :] if told_in in names else []


def _values(outcome: Any, told: list[dict[str, Any]], unsure: list[dict[str, Any]], *, others: bool) -> Iterator[str]:
    """`unsure`: what may have been told of an outcome that was lost. It counts where it says what is recorded."""
    positions = list(range(outcome.first_position, outcome.last_position + 1)) if outcome.first_position else []
    value = (outcome.status, positions, outcome.reasons)
    found, doubtful = ([(one["first_outcome"], one["positions"], one["reasons"]) for one in some] for some in (told, unsure))
    reused = [one for one in (*found, *doubtful) if [reason["code"] for reason in one[2]] == [REUSED]]
    for one in found:
        if one not in (value, *reused):
            yield f"command {outcome.command_id} was told {one}, and recorded is {value}"
    if value not in (*found, *doubtful):
        yield f"command {outcome.command_id} was never told what is recorded: {value}"
    if bool(reused) != others:
        yield f"command {outcome.command_id} came with {'other' if others else 'one'} content, and {len(reused)} were told so"


def _streams(facts: Facts) -> Iterator[str]:
    """Versions without gaps in each stream, positions without gaps in the log."""
    versions: dict[str, list[int]] = defaultdict(list)
    for event in facts.stored_events:
        versions[event.stream_id].append(event.version)
    for stream, found in versions.items():
        if found != list(range(1, len(found) + 1)):
            yield f"stream {stream} has the versions {found}"
    positions = [event.position for event in facts.stored_events]
    if positions != list(range(1, len(positions) + 1)):
        yield f"positions have gaps: {len(positions)} events up to {positions[-1]}"
    if facts.head != len(positions):
        yield f"the head is at {facts.head} with {len(positions)} events"


def _published(facts: Facts) -> Iterator[str]:
    """A consumer that does as docs/upstream.md says holds the store's events as they are stored, those of a customer in its
    order, on one partition."""
    came: dict[str, list[int]] = defaultdict(list)
    partitions: dict[str, set[int]] = defaultdict(set)
    stored = {event.position: event for event in facts.stored_events}
    for message in consumed(facts.events):
        position, key = int(message.header("ce_position")), (message.key or b"").decode()
        partitions[key].add(message.partition)
        if position not in stored or message.value != bytes(stored[position].data):
            yield f"event {position} on Kafka is not what is stored"
        came[key].append(position)
    wanted: dict[str, list[int]] = defaultdict(list)
    for event in facts.stored_events:
        wanted[event.customer_id or event.stream_id].append(event.position)
    yield from _differences("on Kafka, the events of", came, wanted)
    for key, found in partitions.items():
        if len(found) > 1:
            yield f"the events of {key} are on the partitions {sorted(found)}"


def consumed(messages: Iterable[Seen]) -> list[Seen]:
    """What is left to who reads each partition once, passes over what comes again, and undoes what is told to be void."""
    held: dict[int, list[Seen]] = defaultdict(list)
    highest: dict[int, int] = defaultdict(int)
    begun: set[tuple[int, bytes]] = set()
    for one in messages:
        mine = held[one.partition]
        headers = dict(one.headers)
        if headers.get("ce_type") == EPOCH_BEGAN.encode():
            epoch = one.partition, headers["ce_epoch"]
            if epoch in begun:  # announced again by a relay that took over
                continue
            begun.add(epoch)
            after = json.loads(one.value or b"")["after"]
            mine[:] = [kept for kept in mine if int(kept.header("ce_position")) <= after]
            highest[one.partition] = min(highest[one.partition], after)
        elif int(one.header("ce_position")) > highest[one.partition]:
            mine.append(one)
            highest[one.partition] = int(one.header("ce_position"))
    return [one for mine in held.values() for one in mine]


def _letters(sent: Sequence[tuple[Seen, dict[str, Any] | None]], facts: Facts, topic: str) -> Iterator[str]:
    """All garbage is kept, once, with its bytes; and told on the topic of dead letters. Nothing else is."""
    wanted = {(one.partition, one.offset): one.value or b"" for one, document in sent if document is None}
    kept = Counter((one.partition, one.offset) for one in facts.kept_letters)
    for place in wanted.keys() - kept.keys():
        yield f"garbage at {place} is not among the dead letters"
    for place in kept.keys() - wanted.keys():
        yield f"the message at {place} is no garbage, and is among the dead letters"
    for place, times in kept.items():
        if times > 1:
            yield f"garbage at {place} is {times} times among the dead letters"
    for one in facts.kept_letters:
        if bytes(one.raw) != wanted.get((one.partition, one.offset), bytes(one.raw)):
            yield f"garbage at {(one.partition, one.offset)} was not kept as it came"
    told = {(int(one.header("ltc_partition")), int(one.header("ltc_offset"))): one for one in facts.dead_letters}
    yield from (f"garbage at {place} was not told on the topic of dead letters" for place in wanted.keys() - told.keys())
    for place, one in told.items():
        if one.header("ltc_topic") != topic or place not in wanted or (one.value or b"") != wanted[place]:
            yield f"the dead letter on Kafka about {place} is not what came"


def _offsets(facts: Facts, topic: str) -> Iterator[str]:
    """All messages are behind the workers."""
    ends: dict[int, int] = {}
    for one in (*facts.commands, *facts.expired):
        ends[one.partition] = max(ends.get(one.partition, 0), one.offset + 1)
    for feed in (topic, f"{topic}/answers"):
        for partition, end in ends.items():
            if facts.offsets.get((feed, partition), 0) != end:
                yield f"{feed} {partition} ends at {end}, and is read to {facts.offsets.get((feed, partition), 0)}"


def _differences(what: str, found: dict[K, list[Any]], wanted: dict[K, list[Any]]) -> Iterator[str]:
    for key in found.keys() | wanted.keys():
        is_there, should_be = found.get(key, []), wanted.get(key, [])
        if is_there == should_be:
            continue
        pairs = zip_longest(is_there, should_be)
        at = next(number for number, (one, other) in enumerate(pairs) if one != other)
        yield f"{what} {key} are {is_there[at : at + 2]} from the {at + 1}. on, and should be {should_be[at : at + 2]}"


def _short(message: Outgoing) -> str:
    return f"key {message[0]!r}, value {(message[1] or b'')[:60]!r}"
