"""Recovers after the store has gone back: new epoch, lost events put back, topic republished, tables rebuilt.

After an interruption the same call continues: completed steps are detected.
"""

import secrets
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from typing import NamedTuple

from ltc_events.bootstrap.services import open_store
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.publisher import Publisher
from ltc_events.bus.topics import EVENTS, RESULTS, Bus
from ltc_events.kernel.errors import LtcError
from ltc_events.projections.writing.checkpoints import lock_checkpoints
from ltc_events.recovery.assessment import Assessment, find
from ltc_events.recovery.outcomes_ahead import corrected, corrections
from ltc_events.recovery.tables import rebuild_ahead
from ltc_events.recovery.topic_recovery import TopicRecovery, heal
from ltc_events.store import Database, Role
from ltc_events.store.epochs import next_name
from ltc_events.store.lease import Lease
from ltc_events.store.restoration import begin_epoch, locked_head, put_back, set_offset


class RelayAtWork(LtcError):
    """a relay is at work on {topic}"""

    remedy = "stop the workers first: nobody may publish while it is decided what is true"


class StoreMoved(LtcError):
    """somebody has written to the store since it was looked at: its head was {was}, and is {now}"""

    remedy = "stop the workers and whoever else writes, and look again with `ltc recover`"


class CannotPutBack(LtcError):
    """the events that were lost cannot be put back: {hindrance}"""

    remedy = (
        "`ltc recover --discard --yes` goes on without them: {lost} events are lost for good, and commands that are still on the "
        "topic of commands are decided anew. docs/operations.md says what that means"
    )


class Recovered(NamedTuple):
    """The result of a recovery."""

    epoch: str
    after: int
    put_back: int
    discarded: int
    outcomes: int
    tables: tuple[str, ...]
    answered: int = 0
    """Commands that were answered otherwise than the store has it, or by what looks void now, and are answered again."""


Report = Callable[[str], None]


def recover(
    database: Database, bus: Bus | None, *, discard: bool, by: str, reason: str, report: Report = lambda _: None
) -> Recovered:
    """Recover. With `discard`, events that only the topic has are abandoned; else they are put back.

    In the owner's role. Raises RelayAtWork, StoreMoved, CannotPutBack, and the errors of `find` and of a rebuild.
    """
    with ExitStack() as stack:
        if bus is not None:
            lease = stack.enter_context(closing(Lease(database, bus.topic(EVENTS))))
            if not lease.take():
                raise RelayAtWork(topic=bus.topic(EVENTS))
        findings = find(database, bus)
        healing = TopicRecovery([], [], [])
        if findings.common is not None and findings.lost and not discard:
            if findings.hindrance or bus is None:
                raise CannotPutBack(hindrance=findings.hindrance, lost=len(findings.lost))
            report("gathering what Kafka still has")
            healing = heal(bus, stack.enter_context(open_store(database, Role.WRITER)), findings)
        done = _begin(database, bus, findings, healing, by=by, reason=reason)
        ahead = find(database, None).tables
        tables = rebuild_ahead(database, ahead, by=by, reason=reason, report=report) if ahead else ()
        return done._replace(tables=tables)


def _begin(
    database: Database, bus: Bus | None, findings: Assessment, healing: TopicRecovery, *, by: str, reason: str
) -> Recovered:
    """Put lost events back and begin the epoch, in one transaction; does nothing where that is done already."""
    if findings.common is None:
        return Recovered(findings.epoch.name, findings.epoch.after, 0, 0, 0, ())
    last = healing.records[-1].position if healing.records else findings.common
    number = max([findings.epoch.number, *(_number(one) for one in findings.strangers)]) + 1
    name = next_name(number, secrets.token_hex(6))
    with database.connect(Role.OWNER) as connection:
        # Before the head, which projectors may wait for: who is writing is seen afterwards, and who writes next sees the epoch.
        lock_checkpoints(connection)
        head = locked_head(connection)
        if head != findings.head:
            raise StoreMoved(was=findings.head, now=head)
        if healing.records:
            put_back(connection, *healing)
        for one in findings.strangers:
            begin_epoch(connection, _number(one), one, after=findings.common, by=by, reason="lost when the store went back")
        begin_epoch(connection, number, name, after=last, by=by, reason=reason)
        if bus is not None:
            set_offset(connection, bus.topic(EVENTS), last, only_back=not healing.records)
        # Before the commit: who is interrupted finds what is still to be told, and tells it again.
        answered = _correct(database, bus, findings, name, last) if bus is not None else 0
    lost = 0 if healing.records else len(findings.lost)
    return Recovered(name, last, len(healing.records), lost, len(healing.outcomes), (), answered)


def _correct(database: Database, bus: Bus, findings: Assessment, epoch: str, after: int) -> int:
    """Answer commands again, in the new epoch, whose answers differ from the store or look void; returns their number."""
    if not findings.answers and not findings.own:
        return 0
    topic = bus.topic(RESULTS)
    with open_store(database, Role.WRITER) as store, OffsetReader(bus) as offset_reader, Publisher(bus) as publisher:
        since = store.recorded_at(findings.common or 0) or datetime.fromtimestamp(0, UTC)
        pairs = corrections(offset_reader, topic, store, findings.answers, since=since, after=after)
        return publisher.publish(topic, corrected(pairs, epoch, datetime.now(UTC)))


def _number(epoch: str) -> int:
    """The number of an epoch from its name; 0: it has none."""
    number, _, _ = epoch.partition("-")
    return int(number) if number.isdecimal() else 0
