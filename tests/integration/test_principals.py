"""Who has sent a command, as the door has authenticated him, is recorded with its outcome."""

import os
import pwd
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from tests.commands import capture, register, rename
from tests.commits import accepted, batch, new_event
from tests.notaries import key_in, sign, superuser, verify

from ltc_events.application.clock import SystemClock
from ltc_events.application.command_service import open_command_service
from ltc_events.application.event_log import event_at
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.kernel.principals import Principal, PrincipalKind
from ltc_events.schemas.outcome import Outcome
from ltc_events.store import Commit, Database, EventStore, Role

ANNA = Principal(PrincipalKind.USER, "anna")
SHOP = Principal(PrincipalKind.SOURCE, "webshop")


def recorded(database: Database) -> dict[UUID, str | None]:
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        return dict(connection.execute("SELECT command_id, principal FROM ltc.outcomes").fetchall())


def sent(*documents: dict[str, Any]) -> list[UUID]:
    return [UUID(one["id"]) for one in documents]


def test_the_principal_is_recorded_with_every_outcome(database: Database, event_store: EventStore) -> None:
    pipeline = CommandPipeline(event_store, SystemClock(), principal=SHOP)
    lone, refused_alone, again = register(), rename("x", uuid4()), rename("Analytical AG", UUID(register()["subject"]))
    together = [capture(uuid4(), uuid4()), rename("y", uuid4())]
    answers = [pipeline.submit([one])[0] for one in (lone, refused_alone, again)] + pipeline.submit(together)
    assert [one.principal for one in answers if isinstance(one, Outcome)] == ["source:webshop"] * 5
    assert recorded(database) == dict.fromkeys(sent(lone, refused_alone, again, *together), "source:webshop")
    assert event_at(event_store, 1).document()["principal"] == "source:webshop"


def test_who_repeats_a_command_does_not_take_the_place_of_who_sent_it_first(database: Database, event_store: EventStore) -> None:
    CommandPipeline(event_store, SystemClock(), principal=SHOP).submit([first := register()])
    (answer,) = CommandPipeline(event_store, SystemClock(), principal=ANNA).submit([first])
    assert isinstance(answer, Outcome)
    assert (answer.duplicate, answer.principal) == (True, "source:webshop")
    assert list(recorded(database).values()) == ["source:webshop"]


def test_callers_of_one_service_are_told_apart(database: Database) -> None:
    with open_command_service(database, SystemClock(), principal=ANNA) as service:
        mine, theirs = register(), capture(uuid4(), uuid4())
        waiting = [service.enqueue([mine]), service.enqueue([theirs], principal=SHOP)]
        assert [one.result()[0].principal for one in waiting] == ["user:anna", "source:webshop"]  # type: ignore[union-attr]
    assert recorded(database) == {UUID(mine["id"]): "user:anna", UUID(theirs["id"]): "source:webshop"}


def test_on_the_embedded_server_it_is_the_local_user_whatever_the_environment_says(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "somebody_else")
    monkeypatch.setenv("LTC_ACTOR", "somebody_else")
    monkeypatch.delenv("LTC_DATABASE_URL", raising=False)
    with Services(load_settings(), database) as services:
        assert services.principal.text == f"user:{pwd.getpwuid(os.geteuid()).pw_name}"


def test_elsewhere_it_is_the_login_at_the_database(database: Database) -> None:
    with database.connect(Role.OWNER, autocommit=True) as connection:
        login = connection.info.user
    with Services(load_settings(database_url=database.conninfo), database) as services:
        services.pipeline().submit([register()])
    assert list(recorded(database).values()) == [f"user:{login}"]


def test_a_principal_that_is_changed_is_found_and_what_was_signed_without_one_stays_true(
    database: Database, event_store: EventStore, tmp_path: Path
) -> None:
    key = key_in(tmp_path)
    event_store.append(batch(1))  # as outcomes were recorded before there were principals
    command = uuid4()
    outcome = accepted(command, 1, 1)._replace(principal="user:anna")
    event_store.append(Commit([new_event(uuid4(), 1, command)], [outcome]))
    sign(database, key)
    assert verify(database, key).findings == []
    changes = (
        b"'user:zoe' WHERE principal IS NOT NULL",
        b"NULL WHERE principal IS NOT NULL",
        b"'user:zoe' WHERE principal IS NULL",
    )
    for change in changes:
        with superuser(database) as owner:
            owner.execute(b"UPDATE ltc.outcomes SET principal = " + change)
        assert [one.kind.value for one in verify(database, key).findings] == ["changed"], change
        with superuser(database) as owner:
            owner.execute("UPDATE ltc.outcomes SET principal = NULL")
            owner.execute("UPDATE ltc.outcomes SET principal = 'user:anna' WHERE command_id = %s", (command,))
        assert verify(database, key).findings == []


def test_a_ledger_of_before_gets_the_column_and_keeps_its_outcomes(database: Database, event_store: EventStore) -> None:
    CommandPipeline(event_store, SystemClock(), principal=SHOP).submit([before := register()])
    event_store.close()
    with psycopg.connect(database.conninfo, autocommit=True) as owner:
        owner.execute("ALTER TABLE ltc.outcomes DROP COLUMN principal")
    database.initialise()
    pipeline = CommandPipeline(event_store, SystemClock(), principal=ANNA)
    answers = pipeline.submit([before, rename("Analytical AG", UUID(before["subject"]))])
    assert [(one.duplicate, one.principal) for one in answers if isinstance(one, Outcome)] == [(True, None), (False, "user:anna")]
