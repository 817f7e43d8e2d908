"""Assesses how far the store has gone back: what topics and read tables have that it does not. Read-only."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from ltc_events.bootstrap.services import open_store
from ltc_events.bus.offsets import OffsetReader
from ltc_events.bus.topics import EVENTS, RESULTS, Bus
from ltc_events.projections.catalog.tables_ahead import Ahead, tables_ahead
from ltc_events.recovery.outcomes_ahead import Answered, answers_ahead
from ltc_events.recovery.topic_comparison import PublishedEvent, TopicComparison, is_same, ours
from ltc_events.store import Database, Role
from ltc_events.store.epochs import Epoch

# So many messages at the end of a partition are read first; twice as many each time that is not far enough back.
STEP = 500


class Assessment(NamedTuple):
    """The result of an assessment: what is ahead of the store, and whether it can be put back."""

    head: int
    epoch: Epoch
    common: int | None
    """The last position up to which everybody has the same; None: nobody is ahead but by what is known already."""
    lost: tuple[PublishedEvent, ...]
    """Events that the topic has behind it and the store has not, by their positions."""
    strangers: tuple[str, ...]
    """Epochs of the topics that the store never had."""
    tables: tuple[Ahead, ...]
    answers: tuple[Answered, ...]
    """Answers that were given to commands of which the store has no such outcome."""

    @property
    def own(self) -> int:
        """The number of events that the store alone has after the last common position."""
        return 0 if self.common is None else self.head - self.common

    @property
    def is_in_order(self) -> bool:
        """Whether nothing is ahead of the store."""
        return self.common is None and not self.tables

    @property
    def hindrance(self) -> str:
        """The reason why the lost events cannot be put back; empty: they can."""
        if self.common is None or not self.lost:
            return "the topic has none of them"
        if self.strangers:
            return f"the topic knows of the epoch {self.strangers[0]}, which the store never had"
        if self.own:
            return f"the store has gone on by itself: it has recorded {self.own} events of its own behind position {self.common}"
        positions = [self.common, *(one.position for one in self.lost)]
        for before, after in pairwise(positions):
            if after != before + 1:
                return f"the topic no longer has the event {before + 1}"
        return ""

    def document(self, *, discard: bool) -> dict[str, Any]:
        """How far the store went back, what is ahead, and what recovery would do, as JSON-ready values."""
        return {
            "in_order": self.is_in_order,
            "head": self.head,
            "epoch": self.epoch.name,
            "common": self.common,
            "lost": len(self.lost),
            "own": self.own,
            "unknown_epochs": list(self.strangers),
            "tables": sorted({one.projection for one in self.tables}),
            "answers": len(self.answers),
            "can_put_back": not self.hindrance,
            "hindrance": self.hindrance if self.lost else "",
            "would": self.steps(discard=discard),
        }

    def steps(self, *, discard: bool) -> list[str]:
        """The steps of recovery, one sentence each; with `discard`, without the lost events."""
        steps = []
        if self.common is not None and self.lost:
            if discard:
                steps.append(
                    f"{len(self.lost)} events are discarded; a new epoch begins behind position {self.common}, and the relay "
                    "publishes what the store has behind it. Commands that are still on their topic are decided anew"
                )
            elif self.hindrance:
                steps.append(f"nothing: the lost events cannot be put back, as {self.hindrance}; --discard goes on without them")
            else:
                last = self.lost[-1].position
                steps.append(
                    f"{len(self.lost)} events are put back as they were, up to position {last}, with the outcomes of their "
                    "commands; a new epoch begins behind them"
                )
        elif self.common is not None:
            steps.append(f"a new epoch begins behind position {self.common}")
        if self.answers:
            steps.append(
                f"{len(self.answers)} answers count no more: commands that the store has decided otherwise are answered again, "
                "those that are still on their topic are decided anew"
            )
        if self.tables:
            steps.append("the read tables that are ahead are built anew, and shown when they are whole")
        return steps


def find(database: Database, bus: Bus | None) -> Assessment:
    """Assess topics and read tables. Raises DatabaseUnreachable, BusUnreachable, TopicMissing, NotInitialised."""
    with open_store(database, Role.PROJECTOR) as store:
        with database.connect(Role.PROJECTOR, autocommit=True) as connection:
            tables = tables_ahead(connection)
        foreign: list[PublishedEvent] = []
        answers: list[Answered] = []
        witness = TopicComparison(store)
        if bus is not None:
            with OffsetReader(bus) as offset_reader:
                topic = bus.topic(EVENTS)
                for number, end in offset_reader.ends(topic).items():
                    foreign += _foreign(offset_reader, topic, number, end, witness)
                answers = answers_ahead(offset_reader, bus.topic(RESULTS), store)
        head, _ = store.head()
        return Assessment(
            head,
            witness.epochs.current,
            _common(head, foreign, [one for one in tables if _is_news(one, witness)], answers),
            _once(foreign),
            tuple(sorted(_strangers(foreign, answers, witness))),
            tuple(tables),
            tuple(answers),
        )


def _foreign(offset_reader: OffsetReader, topic: str, partition: int, end: int, witness: TopicComparison) -> list[PublishedEvent]:
    """The events at the end of a partition that the store lacks, read backwards up to the first common one."""
    found: list[PublishedEvent] = []
    first, step = offset_reader.beginnings(topic)[partition], STEP
    while end > first:
        begin = max(first, end - step)
        told = list(ours(offset_reader.read(topic, {partition: begin}, {partition: end})[partition]))
        foreign = witness.foreign(told)
        found = foreign + found
        if any(one.record is not None and one not in foreign and not witness.is_void(one) for one in told):
            break
        end, step = begin, step * 2
    return found


def _is_news(one: Ahead, witness: TopicComparison) -> bool:
    """Whether the event is not already known to be void from an earlier epoch."""
    if one.epoch is None or not witness.epochs.knows(one.epoch):
        return True
    return witness.epochs.holds(one.epoch, one.mark_position or one.position)


def _strangers(foreign: Sequence[PublishedEvent], answers: Sequence[Answered], witness: TopicComparison) -> set[str]:
    told = {str(one.epoch) for one in foreign if witness.is_of_another_store(one)}
    return told | {one.epoch for one in answers if not witness.epochs.knows(one.epoch)}


def _common(head: int, foreign: Sequence[PublishedEvent], tables: Sequence[Ahead], answers: Sequence[Answered]) -> int | None:
    """The last common position. Answers do not lower it: their events were never published, so what the store has stays valid."""
    bounds = [one.position - (one.record is not None) for one in foreign]
    bounds += [min(head, (one.mark_position or one.position) - (one.position <= one.head)) for one in tables]
    return min([head, *bounds]) if bounds or answers else None


def _once(foreign: Sequence[PublishedEvent]) -> tuple[PublishedEvent, ...]:
    """Events in order without duplicates; of several at one position the last published one counts."""
    by_position: dict[int, PublishedEvent] = {}
    for one in foreign:
        if one.record is not None:
            known = by_position.get(one.position)
            if known is None or not is_same(known.record, one.record):
                by_position[one.position] = one
    return tuple(by_position[position] for position in sorted(by_position))
