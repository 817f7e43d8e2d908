"""A ledger of millions of events in minutes: a company's year is decided once, then lived by more and more companies.

Every company after the first has the histories of the first one with identifiers of its own, in the same order of time. They
share policies and price books, and the number series, whose next numbers they get. All events go through
`EventStore.append`, in transactions as large as those of a command worker, and every stream begins at version 1 and has no
gap: commands can go on from there. Only that the rules would decide so was not asked again.

`python -m benchmarks.loading EVENTS [--home DIR] [--database NAME]` makes one to look at.
"""

import argparse
import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.place import BATCH, DAYS, SEED, fill, in_batches, say
from ltc_events.schemas.base import Event
from ltc_events.schemas.number_series import NumberAssigned, format_number, parse_number
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.record import RawRecord
from ltc_events.simulation import simulate
from ltc_events.store import Commit, Database, EventStore, NewEvent, Role, open_database
from ltc_events.store.decoding import DECODERS

CUSTOMERS = 1_200
"""Of the company whose year is decided."""
SIDE_BY_SIDE = 16
"""So many companies live their year at the same time: about a million events. Then come the next ones."""
SHARED = ("policy", "price_book")
READ_EVENTS = 10_000
_NAMES = re.compile(
    rb'"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-)([0-9a-f]{12})"'  # an identifier
    rb'|"([A-Z]+-[0-9]{4}-[0-9]{6,})"'  # a document's number
)


class _Deed(NamedTuple):
    """A command that was accepted, with its events. `outcome` counts positions from 1 within them."""

    outcome: Outcome
    records: list[RawRecord]


def load(database: Database, events: int, *, customers: int = CUSTOMERS, side_by_side: int = SIDE_BY_SIDE) -> int:
    """Fill an empty ledger with at least so many events, in whole companies; how many there are."""
    say(f"a year of {customers:,} customers goes through the pipeline …")
    fill(database, simulate(SEED, customers, DAYS))
    with EventStore(database, Role.WRITER) as store:
        template = list(_deeds(database, store))
        originals = _Originals(template)
        head, _ = store.head()
        lived, began = 1, time.monotonic()
        while head < events:
            missing = -(-(events - head) // originals.events)
            companies = [_Company(originals, number) for number in range(lived, lived + min(missing, side_by_side))]
            for part in in_batches(template, BATCH):
                for company in companies:
                    store.append(company.live(part))
            lived += len(companies)
            head, _ = store.head()
            say(f"{head:,} events of {lived:,} companies, {time.monotonic() - began:,.0f} s …")
    with database.connect(Role.OWNER, autocommit=True) as connection:
        connection.execute("VACUUM (FREEZE, ANALYZE) ltc.events, ltc.outcomes")
    return head


def _deeds(database: Database, store: EventStore) -> Iterator[_Deed]:
    with database.connect(Role.WRITER) as connection:
        accepted = connection.execute(
            "SELECT command_id, command_type, content_hash, last_position - first_position + 1 FROM ltc.outcomes"
            " WHERE status = %s AND first_position > 0",
            (Status.ACCEPTED.value,),
        )
        outcomes = {id: Outcome(id, kind, content, Status.ACCEPTED, 1, count) for id, kind, content, count in accepted}
    for command_id, records in groupby(_records(store), attrgetter("command_id")):
        yield _Deed(outcomes[command_id], list(records))


def _records(store: EventStore) -> Iterator[RawRecord]:
    position = 0
    while records := store.read_raw(position, READ_EVENTS):
        yield from records
        position = records[-1].position


class _Originals:
    """What the companies have in common."""

    def __init__(self, template: Sequence[_Deed]) -> None:
        records = [record for deed in template for record in deed.records]
        self.shared = {record.subject for record in records if record.type.startswith(SHARED)}
        self.shared_texts = {str(id).encode() for id in self.shared}
        self.events = sum(record.subject not in self.shared for record in records)
        numbers = (parse_number(number.number) for number in map(_number, records) if number)
        self.last_numbers: dict[tuple[str, int], int] = {}
        for series, year, sequence in filter(None, numbers):
            self.last_numbers[series, year] = max(sequence, self.last_numbers.get((series, year), 0))


class _Company:
    """A company that lives the year as the first one did, with identifiers and document numbers of its own."""

    def __init__(self, originals: _Originals, number: int) -> None:
        self._originals = originals
        self._number = number.to_bytes(8)
        # The time in an identifier (UUIDv7) stays, what tells it from others changes.
        self._mask = int.from_bytes(hashlib.sha256(b"company" + self._number).digest()[:6])
        self._numbers: dict[str, str] = {}

    def live(self, deeds: Sequence[_Deed]) -> Commit:
        """The next part of its year."""
        commit = Commit()
        for outcome, records in deeds:
            if records[0].subject in self._originals.shared:
                continue
            command_id = self._id(outcome.command_id)  # one object: what is equal is packed once
            content_hash = hashlib.sha256(outcome.content_hash + self._number).digest()
            before = len(commit.events)
            commit.events += [self._event(record, command_id) for record in records]
            commit.outcomes.append(
                outcome._replace(
                    command_id=command_id,
                    content_hash=content_hash,
                    first_position=before + outcome.first_position,
                    last_position=before + outcome.last_position,
                )
            )
        return commit

    def _event(self, record: RawRecord, command_id: UUID) -> NewEvent:
        number = _number(record)
        if number is not None:
            return self._assignment(record, number, command_id)
        event = DECODERS[record.type](_NAMES.sub(self._named, record.data))
        return self._new(record, self._id(record.subject), record.version, event, command_id)

    def _assignment(self, record: RawRecord, assigned: NumberAssigned, command_id: UUID) -> NewEvent:
        last = self._originals.last_numbers
        series = assigned.series, assigned.year
        last[series] += 1
        number = self._numbers[assigned.number] = format_number(*series, last[series])
        document_id = self._id(assigned.document_id)
        event = assigned.model_copy(update={"sequence": last[series], "number": number, "document_id": document_id})
        return self._new(record, record.subject, last[series], event, command_id)

    def _new(self, record: RawRecord, subject: UUID, version: int, event: Event, command_id: UUID) -> NewEvent:
        correlation, causation = record.correlation_id, record.causation_id
        return NewEvent(
            subject,
            version,
            event,
            None if record.customer_id is None else self._id(record.customer_id),
            record.occurred_at,
            record.effective_on,
            command_id,
            command_id if correlation == record.command_id else self._id(correlation),
            command_id if causation == record.command_id else self._id(causation),
            record.actor,
        )

    def _id(self, id: UUID) -> UUID:
        return id if id in self._originals.shared else UUID(int=id.int ^ self._mask)

    def _named(self, found: re.Match[bytes]) -> bytes:
        start, end, number = found.groups()
        if number:
            return b'"%s"' % self._numbers[number.decode()].encode()
        if start + end in self._originals.shared_texts:
            return found.group()
        return b'"%s%012x"' % (start, int(end, 16) ^ self._mask)


def _number(record: RawRecord) -> NumberAssigned | None:
    return NumberAssigned.model_validate_json(record.data) if record.type == NumberAssigned.type else None


def main() -> None:
    """Make a ledger in a folder."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description="A ledger of millions of events.")
    parser.add_argument("events", type=int)
    parser.add_argument("--home", type=Path, help="folder of the embedded server; default: the user's")
    parser.add_argument("--database", default="large", help="name of the database, which must not be there yet")
    options = parser.parse_args()
    server = open_database(None, options.home).conninfo
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(options.database)))
    database = Database(make_conninfo(server, dbname=options.database))
    database.initialise()
    say(f"{load(database, options.events):,} events in {database.conninfo}")


if __name__ == "__main__":
    main()
