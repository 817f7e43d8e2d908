"""The gate in CI: what would make stored events or messages in flight unreadable is named, with the way out, and not exported."""

import json
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import StringConstraints
from tests.evolution import release
from typer.testing import CliRunner

from ltc_events.cli.schema import app
from ltc_events.schemas.base import Exact
from ltc_events.schemas.payment import PaymentReceived, ReceivePayment
from ltc_events.schemas.upcasting import Data, rename, upcast

OLD = PaymentReceived.type
NEW = OLD.replace(".v1", ".v2")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The schemas as the last release exported them."""
    assert CliRunner().invoke(app, ["export", "--dir", str(tmp_path)]).exit_code == 0
    return tmp_path


def check(folder: Path, *options: str) -> tuple[list[str], list[str]]:
    """What the gate finds: problems, and schemas that are not exported yet."""
    result = CliRunner().invoke(app, ["check", "--dir", str(folder), "--json", *options])
    found = json.loads(result.stdout)
    assert result.exit_code == bool(found["problems"] or found["stale"])
    assert found["compatible"] == (not found["problems"])
    return found["problems"], [one for one in found["stale"] if "/" in one]  # the document of Kafka follows the types


def test_nothing_changed_nothing_found(folder: Path) -> None:
    assert check(folder) == ([], [])


def test_a_changed_event_without_a_new_version_names_type_field_and_way_out(folder: Path) -> None:
    with release(OLD):

        class Received(PaymentReceived):
            type: ClassVar[str] = OLD
            fee: Exact

        problem = f"events/{OLD}.json: fee is required now; give it a default"
        way_out = f"what is stored would not be read: make it {NEW}, with an upcaster from {OLD}"
        assert check(folder)[0] == [f"{problem}; {way_out}"]


def test_a_field_with_a_default_is_compatible_and_only_to_be_exported(folder: Path) -> None:
    with release(OLD):

        class Received(PaymentReceived):
            type: ClassVar[str] = OLD
            fee: Exact | None = None

        assert check(folder) == ([], [f"events/{OLD}.json"])
        assert CliRunner().invoke(app, ["export", "--dir", str(folder)]).exit_code == 0
        assert check(folder) == ([], [])


def test_a_type_that_is_gone_needs_an_upcaster(folder: Path) -> None:
    with release(OLD):
        assert check(folder)[0][0] == (
            f"events/{OLD}.json: the type is gone; what is stored would be lost: give {OLD} an upcaster, or keep its class"
        )


def test_a_new_version_with_an_upcaster_passes_and_the_older_schema_stays(folder: Path) -> None:
    older = (folder / "events" / f"{OLD}.json").read_bytes()
    with release(OLD):

        class Received(PaymentReceived):
            type: ClassVar[str] = NEW
            fee: Exact

        @upcast(OLD, NEW)
        def without_fee(data: Data) -> Data:
            return {**data, "fee": "0"}

        assert check(folder) == ([], [f"events/{NEW}.json"])
        assert CliRunner().invoke(app, ["export", "--dir", str(folder)]).exit_code == 0
        assert check(folder) == ([], [])
        assert (folder / "events" / f"{OLD}.json").read_bytes() == older


def test_an_upcaster_must_lead_to_an_event_of_today(folder: Path) -> None:
    with release(OLD):
        rename(OLD, NEW)
        assert check(folder)[0] == [
            f"{OLD}: its upcaster leads to {NEW}, which is no event; give it a class, or an upcaster that leads on"
        ]
    with release():
        rename(OLD, "payment.returned.v1")
        assert [problem for problem in check(folder)[0] if "remove the class" in problem]


def test_an_incompatible_change_is_not_exported(folder: Path) -> None:
    older = (folder / "events" / f"{OLD}.json").read_bytes()
    with release(OLD):

        class Received(PaymentReceived):
            type: ClassVar[str] = OLD
            fee: Exact

        result = CliRunner().invoke(app, ["export", "--dir", str(folder)])
        assert result.exit_code == 1
        assert "nothing is written" in result.stderr
    assert (folder / "events" / f"{OLD}.json").read_bytes() == older


def test_a_golden_event_that_is_no_longer_read_is_named(folder: Path, tmp_path: Path) -> None:
    golden = tmp_path / "golden" / "v0.1"
    golden.mkdir(parents=True)
    lines = [
        {"position": n, "type": OLD, "data": data} for n, data in enumerate(("{}", "{}", '{"amount": "1", "currency": 7}'), 5)
    ]
    (golden / "events.jsonl").write_text("\n".join(map(json.dumps, lines)))
    first, second = check(folder, "--golden", str(golden.parent))[0]
    assert f"the event at position 5 ({OLD}) cannot be decoded: amount: Field required" in first
    assert f"mend the class of {OLD}, or the upcaster that leads to it" in first
    assert "position 7" in second


SHORTER = f"commands/{ReceivePayment.type}.json: reference has the maxLength 5, which was 300"


def narrowing(folder: Path, reason: str, *changes: str) -> None:
    """Accept these changes, for this reason."""
    (folder / "narrowings.toml").write_text(f"[[narrowing]]\nreason = {json.dumps(reason)}\nchanges = {json.dumps(changes)}\n")


def test_a_command_is_narrowed_only_where_the_list_says_so_with_a_reason(folder: Path) -> None:
    with release(ReceivePayment.type):

        class Receive(ReceivePayment):
            type: ClassVar[str] = ReceivePayment.type
            reference: Annotated[str, StringConstraints(min_length=1, max_length=5)] | None = None

        (problem,) = check(folder)[0]
        assert problem.startswith(SHORTER)
        for reason, change in (("", SHORTER), (" ", SHORTER), ("banks cut it off", SHORTER.replace("5", "6"))):
            narrowing(folder, reason, change)
            assert check(folder)[0] == [problem]
        narrowing(folder, "banks cut it off", SHORTER)
        assert check(folder)[0] == []
        assert CliRunner().invoke(app, ["export", "--dir", str(folder)]).exit_code == 0


def test_no_reason_narrows_an_event(folder: Path) -> None:
    with release(OLD):

        class Received(PaymentReceived):
            type: ClassVar[str] = OLD
            fee: Exact

        (problem,) = check(folder)[0]
        narrowing(folder, "we would like to", problem.partition(";")[0])
        assert check(folder)[0] == [problem]


def test_the_list_is_held_against_what_releases_published(folder: Path, tmp_path: Path) -> None:
    golden = tmp_path / "golden" / "v0.0"
    golden.mkdir(parents=True)
    released = json.loads((folder / "commands" / f"{ReceivePayment.type}.json").read_text())
    del released["properties"]["reference"]["anyOf"][0]["maxLength"]
    (golden / "commands.json").write_text(json.dumps({f"commands/{ReceivePayment.type}.json": released}))
    change = SHORTER.replace("5, which was 300", "300, which was none")
    assert check(folder, "--golden", str(golden.parent))[0][0].startswith(f"since v0.0: {change}; ")
    narrowing(folder, "banks cut it off", change)
    assert check(folder, "--golden", str(golden.parent))[0] == []
    narrowing(folder, "banks cut it off", change, SHORTER)
    assert check(folder, "--golden", str(golden.parent))[0] == [f"narrowings.toml accepts what is not so: {SHORTER}"]
