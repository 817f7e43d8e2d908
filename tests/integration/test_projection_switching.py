"""Operators look at how two builds differ, switch and switch back, while readers see one whole table or the other."""

import threading
from collections.abc import Iterator

import pytest
from tests.builds import B1, V1, V2, WHO, state, until
from tests.projection_samples import Billed, Bills, Ledger, append, bill, number, payment, rows

from ltc_events.projections.base import Operation, Projection, Put, column, on
from ltc_events.projections.errors import (
    AlreadyBuilt,
    Behind,
    DependentsInTheWay,
    InUse,
    NoSuchBuild,
    ReadersInTheWay,
    ReasonMissing,
    Unexplained,
)
from ltc_events.projections.lifecycle import State, transitions_of
from ltc_events.projections.naming import Connection
from ltc_events.projections.rebuild import rebuild
from ltc_events.projections.runner import open_runner
from ltc_events.projections.switching import drop, switch
from ltc_events.projections.verification import Touch
from ltc_events.projections.versions import diff
from ltc_events.schemas.record import Record
from ltc_events.store import Database, EventStore, Role

pytestmark = pytest.mark.usefixtures("sample_events")


class Noted(Bills):
    """One row per bill that still counts, its note in capitals."""

    table, version = "bills", 2
    columns = {**Bills.columns, "shouted": column("bool", "whether the note is in capitals")}
    changed = {"note": "notes are in capitals"}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        note = None if event.note is None else event.note.upper()
        yield Put(record.subject, billed=event.amount, note=note, last_position=record.position, shouted=note is not None)


def test_a_new_version_is_looked_at_and_switched_to_and_back(
    database: Database, event_store: EventStore, head: int, reader: Connection
) -> None:
    with open_runner(database, [Bills]) as old, open_runner(database, [Ledger]):
        assert rebuild(database, Noted, **WHO) == V2
        with open_runner(database, [Noted]) as new:
            head = append(event_store, bill(40, "1", "y"), payment(40, "0.40"))
            new.catch_up()
            assert len(rows(reader, "bills")[0]) == 6, "a rebuilt version is shown when an operator says so"
            old.catch_up()
            found = diff(database, Noted, V1, V2)
            assert found.position == head
            assert (found.comparison.by_column, found.comparison.added, found.comparison.dropped) == (
                {"note": 10},
                ("shouted",),
                (),
            )
            assert (found.comparison.only_left, found.comparison.only_right) == (0, 0)
            assert found.by_event == {"sample.billed.v1": 9, "sample.paid.v1": 1}
            assert found.findings[-1].difference.columns == {"note": ("y", "Y")}
            assert found.findings[-1].last == Touch(head, "sample.paid.v1")
            assert switch(database, Noted, **WHO).now == V2
            assert [row[:2] for row in rows(reader, "bills") if row[0] == number(40)] == [(number(40), "Y")]
            append(event_store, bill(41, "1", "z"))
            old.catch_up()
            new.catch_up()
            assert switch(database, Noted, back=True, **WHO).now == V1
            assert rows(reader, "bills")[-1][:2] == (number(41), "z")
            assert switch(database, Noted, back=True, **WHO).now == V2, "and back again is forward"
        with pytest.raises(InUse, match="shown"):
            drop(database, Noted, V2, **WHO)
        drop(database, Noted, V1, **WHO)
        append(event_store, bill(42, "1"))
        old.catch_up()
    with open_runner(database, [Bills]) as old:
        old.catch_up()
    assert reader.execute("SELECT to_regclass('ltc_read.bills__v1')").fetchone() == (None,), "nobody makes it again"
    with database.connect(Role.PROJECTOR) as connection:
        told = [(str(one.build), one.state.value, one.made_by) for one in transitions_of(connection, "bills")]
    assert told[:6] == [
        ("v1", "shown", "projector"),
        ("v2", "filling", "ann"),
        ("v2", "indexing", "ann"),
        ("v2", "catching_up", "ann"),
        ("v2", "ready", "ann"),
        ("v1", "retired", "ann"),
    ]
    assert told[-1] == ("v1", "dropped", "ann")


def test_what_an_operator_must_not_do_by_accident(database: Database, event_store: EventStore, head: int) -> None:
    with pytest.raises(AlreadyBuilt):
        rebuild(database, Bills, **WHO)
    with pytest.raises(NoSuchBuild):
        switch(database, Bills, **WHO)
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("UPDATE ltc_read.bills__v1 SET paid = 0.01 WHERE bill_id = %s", [number(7)])
    rebuild(database, Bills, anew=True, **WHO)
    with pytest.raises(Unexplained, match="1 × paid"):
        switch(database, Bills, **WHO)
    with pytest.raises(ReasonMissing):
        switch(database, Bills, by="ann", force=True)
    assert switch(database, Bills, by="ann", force=True, reason="a cell was changed by hand").now == B1
    with database.connect(Role.PROJECTOR) as connection:
        assert "a cell was changed by hand" in transitions_of(connection, "bills")[-1].reason
    rebuild(database, Noted, **WHO)
    drop(database, Noted, V1, **WHO)
    append(event_store, bill(60, "1"))
    with open_runner(database, [Noted]) as runner:
        runner.catch_up()
    switched = switch(database, Noted, wait_s=0.2, **WHO)
    assert switched.comparison is not None
    assert switched.comparison.by_column == {"note": 9}, "compared where the old one was left behind"
    append(event_store, bill(61, "1"))
    with open_runner(database, [Noted]) as runner:
        runner.catch_up()
    with pytest.raises(Behind, match="v1b1 is at position 36"):
        switch(database, Noted, back=True, wait_s=0.2, **WHO)
    assert switch(database, Noted, back=True, force=True, wait_s=0.2, by="ann", reason="the new one is wrong").now == B1


def test_readers_never_see_an_error_or_half_a_state(database: Database, event_store: EventStore, head: int) -> None:
    """They poll while commands come and operators switch to and fro: always one whole table, and never the past."""
    rebuild(database, Noted, **WHO)
    stop, seen, troubles = threading.Event(), [0], []

    def poll() -> None:
        last = 0
        try:
            with database.connect(Role.READER, autocommit=True) as reader:
                while not stop.is_set():
                    found = reader.execute("SELECT note, last_position FROM ltc_read.bills").fetchall()
                    notes = {row[0] for row in found}
                    assert notes in ({None, "x"}, {None, "X"}), notes
                    newest = max(row[1] for row in found)
                    assert newest >= last
                    last = newest
                    seen[0] += 1
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test shall say so
            troubles.append(error)

    def follow(projection: type[Projection]) -> None:
        with open_runner(database, [projection]) as runner:
            runner.follow(stop)

    def work() -> None:
        n = 100
        with EventStore(database, Role.WRITER) as store:
            while not stop.is_set():
                append(store, bill(n, "1"))
                n += 1
                stop.wait(0.002)

    threads = [threading.Thread(target=poll) for _ in range(2)]
    threads += [threading.Thread(target=follow, args=(one,)) for one in (Bills, Noted)] + [threading.Thread(target=work)]
    for thread in threads:
        thread.start()
    try:
        for back in (False, True, True, True):
            before = seen[0]
            switch(database, Noted, back=back, **WHO)
            until(lambda before=before: seen[0] > before + 5 or bool(troubles))  # type: ignore[misc]
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert troubles == []
    assert not any(thread.is_alive() for thread in threads)


def test_a_switch_waits_for_a_reader_but_not_for_ever(database: Database, head: int) -> None:
    rebuild(database, Noted, **WHO)
    with database.connect(Role.READER) as reader:
        reader.execute("SELECT count(*) FROM ltc_read.bills")
        with pytest.raises(ReadersInTheWay):
            switch(database, Noted, wait_s=0.3, **WHO)
        assert state(database, V2) is State.READY
    assert switch(database, Noted, **WHO).now == V2


class Shorter(Noted):
    """One row per bill that still counts, without a note."""

    table, version = "bills", 3
    columns = {name: one for name, one in Noted.columns.items() if name != "note"}
    indexes = ()
    changed = {"shouted": "nobody shouts any more"}

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, billed=event.amount, last_position=record.position)


def test_what_analysts_built_on_a_view_survives_or_is_named(database: Database, head: int, reader: Connection) -> None:
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("CREATE VIEW public.due AS SELECT bill_id, billed - paid AS due, note FROM ltc_read.bills")
        owner.execute("GRANT SELECT ON ltc_read.bills TO ltc_writer")
        rebuild(database, Noted, **WHO)
        switch(database, Noted, **WHO)
        assert owner.execute("SELECT count(*) FROM public.due WHERE note = 'X'").fetchone() == (9,)
        switch(database, Noted, back=True, **WHO)  # nobody built on the column that only the new table has
        assert owner.execute("SELECT count(*) FROM public.due WHERE note = 'x'").fetchone() == (9,)
        assert owner.execute("SELECT count(*), count(shouted) FROM ltc_read.bills").fetchone() == (29, 0)
        switch(database, Noted, back=True, **WHO)
        assert owner.execute("SELECT count(shouted) > 0 FROM ltc_read.bills").fetchone() == (True,)
        rebuild(database, Shorter, **WHO)
        with pytest.raises(DependentsInTheWay, match=r"columns note .* due"):
            switch(database, Shorter, **WHO)
        owner.execute("DROP VIEW public.due")
        switch(database, Shorter, **WHO)
        may = owner.execute("SELECT has_table_privilege('ltc_writer', 'ltc_read.bills', 'SELECT')").fetchone()
        assert may == (True,), "grants stay"
    assert columns_of(reader, "bills") == ["bill_id", "billed", "paid", "payments", "last_position", "shouted"]


def columns_of(reader: Connection, table: str) -> list[str]:
    description = reader.execute(f"SELECT * FROM ltc_read.{table}".encode()).description or []
    return [one.name for one in description]
