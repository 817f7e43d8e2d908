"""Operators look at how two builds differ, switch and switch back, while readers see one whole table or the other."""

import json
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.builds import B1, V1, V2, WHO, state, until
from tests.projection_samples import Billed, Bills, Fragile, Ledger, append, bill, number, payment, rows
from typer.testing import CliRunner, Result

from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.cli.projections import app as projections_cli
from ltc_events.cli.projections import switch as switch_cli
from ltc_events.cli.projections import verify as proofs_cli
from ltc_events.projections.catalog.installed_tables import position_of
from ltc_events.projections.catalog.lifecycle import State, transitions_of
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.errors import (
    AlreadyBuilt,
    Behind,
    DependentsInTheWay,
    FoldStopped,
    InUse,
    NoSuchBuild,
    ReadersInTheWay,
    ReasonMissing,
    SwitchedMeanwhile,
    Unexplained,
)
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Add, Operation, Projection, Put, column, on
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.diff import compare_builds, diff
from ltc_events.projections.proving.verify import Touch
from ltc_events.projections.rebuilding import switch as switching
from ltc_events.projections.rebuilding.rebuild import rebuild, rebuild_together
from ltc_events.projections.rebuilding.switch import drop, switch
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


def test_whom_another_one_was_quicker_than_is_told_so(database: Database, head: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two that switch at once one does; the other is told what happened, and not to switch to another build."""
    rebuild(database, Bills, anew=True, **WHO)
    compare = compare_builds

    def compare_and_be_overtaken(*args: Any) -> Any:
        monkeypatch.setattr(switching, "compare_builds", compare)
        assert switch(database, Bills, **WHO).now == B1
        return compare(*args)

    monkeypatch.setattr(switching, "compare_builds", compare_and_be_overtaken)
    with pytest.raises(SwitchedMeanwhile, match="bills do not see v1 any more"):
        switch(database, Bills, **WHO)
    assert state(database, B1) is State.SHOWN


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


class Mended(Fragile):
    """Bills by day, with all notes readable."""

    table, version = "fragile", 1

    @on(Billed)
    def billed(self, event: Billed, record: Record) -> Sequence[Operation]:
        return (Add(record.effective_on, bills=1),)


def stopped_and_mended(database: Database, event_store: EventStore, reader: Connection) -> Build:
    """Readers see a table that has stopped; the build beside it is mended, and has gone on."""
    with open_runner(database, [Fragile]) as runner:
        runner.catch_up()
    append(event_store, bill(1, "1"), bill(2, "2", "break"), bill(3, "3"))
    with open_runner(database, [Fragile]) as runner:
        runner.catch_up()
    built = rebuild(database, Mended, anew=True, **WHO)
    assert rows(reader, "fragile")[0][1] == 1
    return built


def test_a_table_that_has_stopped_is_replaced_by_one_that_is_as_it_as_far_as_it_got(
    database: Database, event_store: EventStore, reader: Connection
) -> None:
    built = stopped_and_mended(database, event_store, reader)
    done = switch(database, Fragile, **WHO)  # also by the program that cannot take the event in
    assert (done.now, done.comparison is not None and done.comparison.equal) == (built, True)
    assert rows(reader, "fragile")[0][1] == 3


def test_a_stopped_table_is_compared_as_far_as_it_got(database: Database, event_store: EventStore, reader: Connection) -> None:
    built = stopped_and_mended(database, event_store, reader)
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("UPDATE ltc_read.fragile__v1 SET bills = 7")
    with pytest.raises(Unexplained, match="1 × bills"):
        switch(database, Mended, **WHO)
    began = time.monotonic()
    assert switch(database, Mended, by="ann", force=True, reason="a cell was changed").now == built
    assert time.monotonic() - began < 2
    assert rows(reader, "fragile")[0][1] == 3


class Again(Fragile):
    """Bills by day, whose notes cannot all be read."""

    table, version = "fragile", 2


def test_nobody_is_switched_to_a_table_that_has_stopped_unless_somebody_answers_for_it(
    database: Database, event_store: EventStore, reader: Connection
) -> None:
    append(event_store, bill(1, "1"))
    with open_runner(database, [Mended]) as runner:
        runner.catch_up()
        built = rebuild(database, Again, **WHO)
        with database.connect(Role.PROJECTOR) as connection:
            before = position_of(connection, built)
        broken = append(event_store, bill(2, "2", "break"), bill(3, "3")) - 1
        runner.catch_up()
    with pytest.raises(FoldStopped, match=f"position {broken}"):
        switch(database, Again, **WHO)
    assert switch(database, Again, by="ann", force=True, reason="better little than wrong").now == built
    with database.connect(Role.PROJECTOR) as connection:
        assert position_of(connection, built) == before, "nothing was caught up"
        assert "better little than wrong" in transitions_of(connection, "fragile")[-1].reason


def test_by_force_neither_is_brought_along(database: Database, event_store: EventStore, head: int, reader: Connection) -> None:
    rebuild(database, Bills, anew=True, **WHO)
    append(event_store, *(bill(n, "1") for n in range(100, 150)))
    done = switch(database, Bills, by="ann", force=True, reason="now")
    assert (done.now, done.position, done.comparison) == (B1, head, None)
    with database.connect(Role.PROJECTOR) as connection:
        assert (position_of(connection, V1), position_of(connection, B1)) == (head, head)


def test_the_command_catches_up_first_and_switches_what_can_be(
    database: Database, event_store: EventStore, head: int, reader: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (projections_cli, switch_cli, proofs_cli):
        monkeypatch.setattr(module, "PROJECTIONS", (Bills, Ledger, Mended))
    services = Services(load_settings(database_url=database.conninfo))

    def ltc(*words: str) -> Result:
        with capture_logs():
            return CliRunner().invoke(projections_cli.app, words, obj=services, catch_exceptions=False)

    assert json.loads(ltc("switch", "--all", "--json").stdout) == {"switched": [], "refused": []}
    rebuild_together(database, (Bills, Ledger, Mended), anew=True, **WHO)
    with database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("UPDATE ltc_read.bills__v1 SET paid = 0.01 WHERE bill_id = %s", [number(7)])
    last = append(event_store, *(bill(n, "1") for n in range(100, 150)))
    done = ltc("switch", "--all", "--by", "ann", "--json")
    told = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [(one["name"], one["now"], one["position"]) for one in told["switched"]] == [
        ("ledger", "v1b1", last),
        ("fragile", "v1b1", last),
    ]
    assert [(one["name"], one["code"]) for one in told["refused"]] == [("bills", "unexplained")]
    with database.connect(Role.PROJECTOR) as connection:
        assert {position_of(connection, one) for one in (V1, B1)} == {last}
    proof = ltc("verify", "--all", "--json")
    assert (proof.exit_code, json.loads(proof.stdout)["equal"]) == (1, False)
    assert {one["name"]: one["equal"] for one in json.loads(proof.stdout)["tables"]} == {
        "bills": False,
        "ledger": True,
        "fragile": True,
    }
    assert ltc("switch", "bills", "--force", "--reason", "by hand", "--by", "ann").exit_code == 0
    proof = ltc("verify", "--all")
    assert (proof.exit_code, "3 of 3 read tables are what the store says" in proof.stderr) == (0, True)
    assert ltc("switch", "--all").exit_code == 0
    for wrong in (("switch",), ("switch", "bills", "--all"), ("verify",), ("verify", "--all", "--build", "v1")):
        assert ltc(*wrong).exit_code == 2
    services.close()


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
            thread.join(60)
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
