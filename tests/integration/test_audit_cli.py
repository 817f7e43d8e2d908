"""`ltc audit` from the command line, and the notary as a worker."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict
from tests.broker import until
from tests.commits import batch
from tests.notaries import NAME, key_in, superuser
from typer.testing import CliRunner

from ltc_events.audit.errors import NoNotaryKey
from ltc_events.audit.keys import read_keys
from ltc_events.cli.main import app
from ltc_events.proofs.checkpoint import open_checkpoint
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.transparency import TransparencyStore
from ltc_events.workers.notary import NotaryProbe

Ltc = Callable[..., Any]


def caller(database: Database, key: Path) -> Ltc:
    def call(*words: str, exits: int = 0) -> Any:
        environment = {"LTC_DATABASE_URL": database.conninfo, "LTC_NOTARY_KEY_FILE": str(key)}
        result = CliRunner().invoke(app, words, env=environment)
        assert result.exit_code == exits, (result.output, result.exception)
        return result

    return call


@pytest.fixture
def ltc(database: Database, tmp_path: Path) -> Ltc:
    return caller(database, tmp_path / "keys" / "notary.key")


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "notary.key"


def test_from_the_first_key_to_a_verdict(ltc: Ltc, key: Path, event_store: EventStore, tmp_path: Path) -> None:
    made = json.loads(ltc("init", "--json").stdout)
    assert made["notary_key"] == str(key)
    assert key.stat().st_mode & 0o777 == 0o600
    assert json.loads(ltc("init", "--json").stdout)["notary_key"] == str(key), "made once"
    event_store.append(batch(3))
    printed = ltc("audit", "checkpoint").stdout
    keys = read_keys(key)
    assert open_checkpoint(printed.encode(), keys.verifiers("events"))[0].size == 6
    assert ltc("audit", "keys").stdout.splitlines()[0] == str(keys.verifiers("events")[0])
    kept = tmp_path / "checkpoint"
    kept.write_text(printed)
    event_store.append(batch(1))
    verdict = json.loads(ltc("audit", "verify", "--no-tables", "--since", str(kept), "--json").stdout)
    assert verdict["intact"]
    assert verdict["unsigned_events"] == 2
    assert verdict["logs"][0]["size"] == 6
    (told,) = [one for one in json.loads(ltc("doctor", "--json", exits=0).stdout)["checks"] if one["name"] == "notary"]
    assert told["detail"].startswith("6 events, ")


def test_a_key_that_others_may_read_is_named(ltc: Ltc, key: Path) -> None:
    ltc("init")
    key.chmod(0o640)
    checks = {one["name"]: one for one in json.loads(ltc("doctor", "--json", exits=1).stdout)["checks"]}
    assert not checks["notary key"]["healthy"]
    assert f"chmod 600 {key}" in checks["notary key"]["fix"]


def test_without_a_key_it_says_what_to_do(ltc: Ltc, key: Path) -> None:
    missing = ltc("audit", "checkpoint", "--json", exits=1)
    assert isinstance(missing.exception, NoNotaryKey)
    assert "init-key" in missing.exception.fix
    ltc("audit", "init-key", "--name", NAME)
    assert read_keys(key).name == NAME
    assert "is signed yet" in str(ltc("audit", "checkpoint", exits=1).exception)
    assert "is signed yet" in str(ltc("audit", "verify", exits=1).exception)
    assert "already" in str(ltc("audit", "init-key", exits=1).exception)
    ltc("audit", "rotate-key")
    assert len(read_keys(key).seeds) == 2


def test_a_lost_key_is_not_replaced_in_silence(ltc: Ltc, key: Path, event_store: EventStore) -> None:
    ltc("init")
    event_store.append(batch(1))
    ltc("audit", "checkpoint")
    key.unlink()
    assert json.loads(ltc("init", "--json").stdout)["notary_key"] is None
    assert not key.exists()


def test_a_changed_event_is_named_and_the_exit_says_so(ltc: Ltc, database: Database, event_store: EventStore) -> None:
    ltc("init")
    event_store.append(batch(3))
    ltc("audit", "checkpoint")
    with superuser(database) as owner:
        owner.execute("UPDATE ltc.events SET actor = 'somebody' WHERE position = 5")
    found = json.loads(ltc("audit", "verify", "--no-tables", "--json", exits=1).stdout)["findings"]
    assert [(one["kind"], one["where"], one["since"]["size"]) for one in found] == [("changed", "position 5", 6)]
    assert "position 5: campaign.launched.v1, version 1 of stream" in ltc("audit", "verify", "--no-tables", exits=1).stdout


def test_a_checkpoint_of_another_ledger_is_refused(ltc: Ltc, tmp_path: Path, event_store: EventStore) -> None:
    ltc("init")
    event_store.append(batch(1))
    foreign = tmp_path / "foreign"
    foreign.write_text(ltc("audit", "checkpoint").stdout.replace("/ltc/events", "/other/events"))
    assert "no log of this ledger" in ltc("audit", "verify", "--since", str(foreign), exits=2).output


@pytest.fixture
def forged_company(company: Database, server: Any) -> Iterator[Database]:
    name = server.create_from(company)
    yield server.at(name)
    server.drop(name)


def test_a_forged_read_table_is_named_with_its_row(
    forged_company: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ltc = caller(forged_company, key_in(tmp_path))
    ltc("audit", "checkpoint")
    monkeypatch.setattr("ltc_events.audit.tables.MONEY", ("claims", "open_items"))
    assert json.loads(ltc("audit", "verify", "--json").stdout)["tables"] == ["claims", "open_items"]
    with forged_company.connect(Role.OWNER, autocommit=True) as owner:
        row = owner.execute(
            "UPDATE ltc_read.open_items SET due_on = due_on + 1 WHERE item_id = "
            "(SELECT min(item_id::text)::uuid FROM ltc_read.open_items) RETURNING item_id"
        ).fetchone()
    assert row is not None
    (found,) = json.loads(ltc("audit", "verify", "--json", exits=1).stdout)["findings"]
    assert (found["kind"], found["log"]) == ("table", "open_items")
    assert str(row[0]) in found["where"]
    assert "due_on; the last event of it is" in found["detail"]


def test_the_worker_signs_and_ends_when_told(database: Database, event_store: EventStore, tmp_path: Path) -> None:
    key = key_in(tmp_path)
    event_store.append(batch(3))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LTC_")},
        "LTC_DATABASE_URL": database.conninfo,
        "LTC_NOTARY_KEY_FILE": str(key),
    }
    worker = subprocess.Popen([sys.executable, "-m", "ltc_events", "worker", "notary"], env=environment, stderr=subprocess.PIPE)
    try:
        with TransparencyStore(database) as store:
            until(lambda: store.last(f"{NAME}/events") is not None)
        probe = NotaryProbe(database, key)
        until(lambda: probe.measure(None).lag == 0)
        event_store.append(batch(2))
        assert probe.measure(None).lag == 4
        assert probe.measure(None).oldest_s >= 0
        until(lambda: probe.measure(None).place == 10)
        assert {reading.gauge.name for reading in probe.measure(None).readings} == {
            "ltc_log_position", "ltc_notary_position", "ltc_notary_lag_events", "ltc_notary_lag_seconds",
        }  # fmt: skip
        probe.close()
    finally:
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=60)
    assert worker.returncode == 0, said
    assert conninfo_to_dict(database.conninfo)["dbname"] not in key.read_text()
