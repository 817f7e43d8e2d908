"""The command line as its users meet it: real processes, stdout, stderr and exit codes."""

import json
import os
import subprocess
import sys
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.commands import register, rename, send
from tests.company import found_company

from ltc_events.kernel.ids import derive_id
from ltc_events.reports.registry import NAMES
from ltc_events.schemas.payment import ReceivePayment
from ltc_events.store import Database

ROOT = Path(__file__).parents[2]
EVENTS_OF_A_COMMAND_MAX = 20
CUSTOMER = derive_id("test", "Analytical Ltd")


class Ltc:
    """Runs `ltc` on one database."""

    def __init__(self, **environment: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("LTC_")}
        self.environment = {**kept, "COLUMNS": "240", "PYTHONPATH": str(ROOT / "src"), **environment}
        self.start = [sys.executable, "-m", "ltc_events"]

    def __call__(self, *words: str, stdin: bytes = b"", exits: int = 0) -> subprocess.CompletedProcess[bytes]:
        command = [*self.start, *words]
        done = subprocess.run(command, input=stdin, capture_output=True, env=self.environment, timeout=120, check=False)
        assert done.returncode == exits, done.stderr.decode()
        assert b"Traceback" not in done.stderr
        return done

    def json(self, *words: str, **more: Any) -> Any:
        return json.loads(self(*words, "--json", **more).stdout)


def lines(*documents: Any) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in documents)


@pytest.fixture
def ltc(database: Database) -> Ltc:
    return Ltc(LTC_DATABASE_URL=database.conninfo)


@pytest.fixture(scope="module")
def company_cli(server: Any) -> Any:
    name = server.create()
    database = server.at(name)
    found_company(database, customers=20, days=365)
    yield Ltc(LTC_DATABASE_URL=database.conninfo)
    server.drop(name)


def test_a_newcomer_on_the_embedded_server(home: Path) -> None:
    ltc = Ltc(LTC_HOME=str(home / "home"))
    assert ltc.json("submit", "-", stdin=lines(register()))["by_status"] == {"accepted": 1}
    checks = {one["name"]: one for one in ltc.json("doctor")["checks"]}
    assert checks["read tables"]["detail"] == "none yet; the first report makes them"
    assert ltc.json("init")["initialised"]
    assert ltc.json("doctor")["healthy"]
    assert ltc.json("init")["events"] == 1, "initialising again keeps what is there"
    assert [row["name"] for row in ltc.json("report", "customer", "--customer", str(CUSTOMER))["columns"]]


def test_init_lays_out_an_empty_database(bare_database: Database) -> None:
    ltc = Ltc(LTC_DATABASE_URL=bare_database.conninfo)
    checks = {one["name"]: one for one in ltc.json("doctor", exits=1)["checks"]}
    assert checks["ledger"]["fix"] == "run `ltc init`"
    assert "ltc init" in ltc("submit", "-", stdin=lines(register()), exits=1).stderr.decode()
    ltc("init")
    assert ltc.json("doctor")["healthy"]


def test_submit_refuses_what_is_for_nobody_it_knows(ltc: Ltc) -> None:
    receive = send(ReceivePayment(amount=Decimal(5), currency="EUR", reference="R-1"), uuid4(), CUSTOMER)
    (answer,) = [json.loads(line) for line in ltc("submit", "-", stdin=lines(receive), exits=1).stdout.splitlines()]
    assert [(one["code"], one["field"]) for one in answer["reasons"]] == [("unregistered_customer", "partitionkey")]
    again = {**receive, "id": str(uuid4())}
    assert ltc.json("submit", "-", stdin=lines(register(), again))["by_status"] == {"accepted": 2}


def test_submit_answers_each_line(ltc: Ltc) -> None:
    command = register()
    sent = lines(command, b"garbage", rename("x", derive_id("nobody")), command)
    done = ltc("submit", "-", stdin=sent, exits=1)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(one["line"], one["status"]) for one in answers] == [
        (1, "accepted"),
        (2, "undecodable"),
        (3, "refused"),
        (4, "duplicate"),
    ]
    assert answers[0]["positions"] == answers[3]["positions"] == [1]
    assert all(reason["code"] and reason["fix"] for one in answers[1:3] for reason in one["reasons"])
    letters = ltc.json("dead-letters", "list")["dead_letters"]
    assert [letter["bytes"] for letter in letters] == [7]
    assert ltc.json("dead-letters", "show", str(letters[0]["id"]))["raw"] == "garbage"


def test_submit_reads_files(ltc: Ltc, tmp_path: Path) -> None:
    (tmp_path / "commands.jsonl").write_bytes(lines(register()) + b"\n\n")
    assert ltc.json("submit", str(tmp_path / "commands.jsonl"))["commands"] == 1
    ltc("submit", str(tmp_path / "missing.jsonl"), exits=2)


def test_submit_reads_what_is_no_plain_file(ltc: Ltc) -> None:
    """A pipe by a name, as a shell makes one of `<(command)`."""
    assert b"accepted" in ltc("submit", "/dev/stdin", stdin=lines(register())).stdout
    ltc("submit", "/", exits=2)


def test_simulate_writes_the_same_bytes_again(ltc: Ltc, tmp_path: Path) -> None:
    words = ("simulate", "--seed", "3", "--customers", "3", "--days", "60", "--output")
    ltc(*words, str(tmp_path / "a"))
    ltc(*words, str(tmp_path / "b"))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes() != b""
    assert ltc.json("events", "tail")["events"] == [], "writing to a file submits nothing"
    submitted = ltc.json("simulate", "--seed", "3", "--customers", "3", "--days", "60")
    assert submitted["commands"] == len((tmp_path / "a").read_bytes().splitlines())


def test_a_made_up_company_goes_into_an_empty_ledger_alone(ltc: Ltc, tmp_path: Path) -> None:
    ltc("submit", "-", stdin=lines(register()))
    words = ("simulate", "--customers", "2", "--days", "30")
    refused = ltc.json(*words, exits=1)["error"]
    assert refused["code"] == "ledger_not_empty"
    assert "--into-existing" in refused["fix"]
    assert ltc.json("events", "tail")["position"] == 1, "nothing is written"
    ltc(*words, "--output", str(tmp_path / "commands"))
    assert ltc.json(*words, "--into-existing")["by_status"]["accepted"] > 1


def test_the_version_is_told() -> None:
    assert Ltc()("--version").stdout.decode().strip() == f"ltc-events {version('ltc-events')}"


@pytest.mark.parametrize("name", NAMES)
def test_every_report_is_one_json_document(company_cli: Ltc, name: str) -> None:
    words = ["report", name, "--as-of", "2026-05-31", "--known-at", "1000"]
    if name == "customer":
        customers = company_cli.json("events", "tail", "-n", "100000")["events"]
        words += ["--customer", next(one["customer_id"] for one in customers if one["customer_id"])]
    document = company_cli.json(*words)
    names = {"report", "as_of", "known_at", "position", "parameters", "columns", "rows", "totals"}
    assert set(document) - {"ties"} == names
    assert (document["report"], document["as_of"]) == (name, "2026-05-31")
    assert 1000 <= document["position"] < 1000 + EVENTS_OF_A_COMMAND_MAX, "the end of the command that position 1000 belongs to"
    columns = [column["name"] for column in document["columns"]]
    assert all(list(row) == columns for row in document["rows"])


def test_a_report_in_all_formats(company_cli: Ltc, tmp_path: Path) -> None:
    rows = company_cli.json("report", "funnel", "--as-of", "2026-06-30", "--basis", "period")["rows"]
    assert rows[0]["basis"] == "period"
    csv = company_cli("report", "funnel", "--as-of", "2026-06-30", "--basis=period", "--format", "csv").stdout.decode()
    assert len(csv.splitlines()) == len(rows) + 1
    assert b"captured" in company_cli("report", "funnel").stdout
    company_cli("report", "funnel", "--format", "parquet", "--output", str(tmp_path / "funnel.parquet"))
    assert (tmp_path / "funnel.parquet").read_bytes()[:4] == b"PAR1"
    company_cli("report", "funnel", "--format", "parquet", exits=2)
    assert "revenue-vs-opportunity" in company_cli("report", "list").stdout.decode()
    assert "dso" in {one["name"] for one in company_cli.json("report", "list")["reports"]}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("report", "funell"), "funnel"),
        (("report", "funnel", "--as-of", "31.12.2026"), "2026"),
        (("report", "funnel", "--known-at", "soon"), "soon"),
        (("report", "funnel", "--colour", "red"), "colour"),
        (("report", "funnel", "--basis", "feet"), "cohort"),
        (("nonsense",), "nonsense"),
        (("events", "show", "0"), "than or equal to 1"),
        (("import", "missing.toml", "--data", "."), "missing.toml"),
        (("--log-format", "xml", "doctor"), "json"),
    ],
)
def test_wrong_usage_exits_with_2_and_says_what_is_right(company_cli: Ltc, words: tuple[str, ...], says: str) -> None:
    assert says in company_cli(*words, exits=2).stderr.decode()


@pytest.mark.parametrize(
    "words", [("report",), ("report", "funnel", "--format", "xml"), ("events", "tail", "-n", "x"), ("nonsense",)]
)
def test_wrong_usage_is_one_json_document_too(company_cli: Ltc, words: tuple[str, ...]) -> None:
    error = company_cli.json(*words, exits=2)["error"]
    assert error["code"] == "usage"
    assert error["message"]
    assert "--help" in error["fix"]


def test_an_error_is_a_json_document_too(company_cli: Ltc) -> None:
    error = company_cli.json("explain", "invoice", "INV-2026-999999", exits=1)["error"]
    assert error["code"] == "unknown_invoice"
    assert "INV-2026-" in error["fix"]
    unreachable = Ltc(LTC_DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert "LTC_DATABASE_URL" in unreachable.json("submit", "-", stdin=lines(register()), exits=1)["error"]["fix"]
    checks = {one["name"]: one["healthy"] for one in unreachable.json("doctor", exits=1)["checks"]}
    assert not checks["database"]


def test_explain_tells_a_story(company_cli: Ltc) -> None:
    story = company_cli.json("explain", "invoice", "INV-2026-000001")
    assert story["sums_broken"] == []
    assert story == json.loads(company_cli("explain", "invoice", "INV-2026-000001", "--format", "json").stdout)
    told = company_cli("explain", "invoice", "INV-2026-000001", "--as-of", "2026-06-30").stdout.decode()
    assert "sums agree" in told
    assert "invoice.issued.v1" in told
    position = str(story["position"] - 1)
    assert company_cli.json("explain", "invoice", "INV-2026-000001", "--known-at", position)["position"] == int(position)


def test_the_log_is_readable(company_cli: Ltc) -> None:
    tail = company_cli.json("events", "tail", "-n", "3")
    assert [one["position"] for one in tail["events"]] == [tail["position"] - 2, tail["position"] - 1, tail["position"]]
    shown = company_cli.json("events", "show", str(tail["position"]))
    assert shown == {**tail["events"][-1], "principal": None}, "the company was founded past every door"
    history = company_cli.json("events", "history", shown["subject"])
    assert history["events"][-1]["version"] == len(history["events"])
    assert history["events"][0]["changes"]
    assert shown["subject"].encode() in company_cli("events", "tail").stdout
    for position in range(tail["position"] - 300, tail["position"], 60):
        subject = company_cli.json("events", "show", str(position))["subject"]
        told = company_cli("events", "history", subject).stdout + company_cli("events", "show", str(position)).stdout
        assert not any(word in told for word in (b"UUID(", b"Decimal(", b"{'", b"datetime."))
    company_cli("events", "history", str(derive_id("nothing")), exits=1)
    company_cli("events", "show", "999999999", exits=1)


def test_projections_say_how_far_they_are(company_cli: Ltc) -> None:
    names = {one["name"] for one in company_cli.json("projections", "list")["projections"]}
    status = company_cli.json("projections", "status")["projections"]
    assert {one["name"] for one in status} == names
    assert {one["lag_events"] for one in status} == {0}
    assert company_cli.json("projections", "catch-up")["position"] == status[0]["position"]


def test_settings_are_flags_too_and_shown_in_the_help(database: Database) -> None:
    told = Ltc()("--help").stdout.decode()
    assert all(name in told for name in ("LTC_DATABASE_URL", "LTC_HOME", "LTC_KAFKA_BOOTSTRAP", "LTC_LOG_FORMAT"))
    assert Ltc().json("--database-url", database.conninfo, "init")["initialised"]


def test_the_exported_schemas_are_current() -> None:
    assert Ltc().json("schema", "check", "--dir", str(ROOT / "docs" / "schemas")) == {
        "compatible": True,
        "problems": [],
        "stale": [],
    }


def test_an_incompatible_schema_is_refused(tmp_path: Path) -> None:
    Ltc()("schema", "export", "--dir", str(tmp_path))
    path = tmp_path / "commands" / "payment.refund.v1.json"
    schema = json.loads(path.read_bytes())
    schema["properties"]["reason"]["maxLength"] = 9999
    schema["properties"]["gone"] = {"type": "string"}
    path.write_text(json.dumps(schema))
    problems = Ltc().json("schema", "check", "--dir", str(tmp_path), exits=1)["problems"]
    assert len(problems) == 2
    assert any("gone" in one for one in problems)


def test_a_document_of_kafka_that_is_not_current_or_promised_more_is_refused(tmp_path: Path) -> None:
    Ltc()("schema", "export", "--dir", str(tmp_path))
    path = tmp_path / "asyncapi.json"
    document = json.loads(path.read_bytes())
    document["info"]["title"] = "other"
    path.write_text(json.dumps(document))
    assert Ltc().json("schema", "check", "--dir", str(tmp_path), exits=1)["stale"] == ["asyncapi.json"]
    document["channels"]["gone"] = document["channels"]["events"]
    path.write_text(json.dumps(document))
    assert "channel gone is gone" in str(Ltc().json("schema", "check", "--dir", str(tmp_path), exits=1)["problems"])


def test_the_demo_shows_a_company_around(home: Path) -> None:
    ltc = Ltc(LTC_HOME=str(home / "home"), COLUMNS="120")
    told = ltc("demo", "--customers", "15", "--days", "120").stdout.decode()
    assert all(name in told for name in ("funnel", "channels", "receivables-aging", "revenue-vs-opportunity", "ltc explain"))
    assert "sums agree" in told
    again = ltc("demo", "--customers", "15", "--days", "120").stdout.decode()
    assert "it was here already" in again
    refusal = ltc("demo", "--seed", "2", "--customers", "15", "--days", "120", exits=1).stderr.decode()
    assert "LTC_HOME" in refusal


def test_the_demo_goes_over_kafka_and_comes_to_the_same(home: Path, bootstrap: str) -> None:
    company = ("--customers", "15", "--days", "120")
    direct, over_bus = (Ltc(LTC_HOME=str(home / name), COLUMNS="120") for name in ("direct", "bus"))
    direct("demo", *company)
    for _ in range(2):  # what was there already is answered once more
        told = over_bus("demo", *company, "--kafka").stdout.decode()
        assert all(name in told for name in ("ltc.commands", "ltc.command-results", "ltc.events", "sums agree"))
    figures = [ltc.json("report", "revenue-vs-opportunity")["totals"] for ltc in (direct, over_bus)]
    assert figures[0] == figures[1]
    assert over_bus.json("projections", "source")["source"] == "store"
