"""Importing twice, after an interruption, as a rehearsal, and once more what was refused."""

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from tests.mappings import counts, write_mapping

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.cli import importing, output
from ltc_events.cli.output import PlainConsole
from ltc_events.importing import DataUnusable, Progress, Reconciliation, run_import, sending
from ltc_events.store import Database, EventStore, Role

MAPPING = """
name = "shop"
currency = "EUR"

[sources.orders]
path = "orders.csv"

{policies}

[[controls]]
name = "orders"
rows = "orders"
sum = "amount"
event = "order.placed"
field = "net"

[[controls]]
name = "invoices"
rows = "orders"
event = "invoice.issued"
"""
NAME_ALONE = """
[[policies]]
kind = "required_fields"
time = 2020-01-01
content = { lead = [], customer = ["name"] }
"""
TABLE = """
SELECT id, customer AS name, ltc_id('customer', customer) AS customer, ltc_date(ordered, '%Y-%m-%d') AS ordered,
  ltc_amount(amount, '1234.56') AS amount
FROM orders
"""
REGISTER = """
rows = "orders"
command = "customer.register"
once = true

SELECT customer AS subject, ordered AS time, name AS actor, {'name': name} AS profile FROM orders
"""
PLACE = """
rows = "orders"
command = "order.place"

SELECT ltc_id('order', id) AS subject, customer, ordered AS time, name AS actor, 'shop' AS reason, 'EUR' AS currency,
  [{'line': 1, 'sku': 'X', 'description': 'X', 'quantity': 1, 'unit_price': amount, 'tax_category': 'Z', 'tax_rate': 0}] AS lines
FROM orders
"""
BILL = """
rows = "orders"
command = "invoice.issue"

SELECT ltc_id('invoice', id) AS subject, customer, ordered AS time, name AS actor, ltc_id('order', id) AS order_id,
  'ordered' AS basis
FROM orders
"""

Import = Callable[..., Reconciliation]


def write_shop(folder: Path, policies: str = NAME_ALONE) -> Path:
    """The shop's mapping."""
    toml = MAPPING.replace("{policies}", policies)
    return write_mapping(folder, toml, tables_orders=TABLE, steps_1_register=REGISTER, steps_2_place=PLACE, steps_3_bill=BILL)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes an export of orders, and the mapping for it."""

    def write(rows: list[str], policies: str = NAME_ALONE) -> Path:
        write_shop(tmp_path / "shop", policies)
        (tmp_path / "orders.csv").write_text("\n".join(["id,customer,ordered,amount", *rows, ""]), encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def run(tmp_path: Path, event_store: EventStore) -> Import:
    def run(folder: Path = tmp_path, **options: Any) -> Reconciliation:
        return run_import(tmp_path / "shop", folder, event_store, SystemClock(), **options)

    return run


def rows(count: int) -> list[str]:
    return [f"{number},customer {number % 70},2024-01-{number % 28 + 1:02},{number}.5" for number in range(count)]


def test_importing_twice_changes_nothing(write: Callable[..., Path], run: Import, event_store: EventStore) -> None:
    write(rows(600))
    first = run()
    head = event_store.head()
    second = run()
    assert event_store.head() == head
    assert counts(first) == {"accepted": 1271, "duplicate": 0, "refused": 0}
    assert counts(second) == {"accepted": 0, "duplicate": 1271, "refused": 0}
    assert first.balanced
    assert [(one.source, one.ledger) for one in second.controls] == [(one.source, one.ledger) for one in first.controls]


def test_rows_that_were_added_since_are_all_that_is_new(write: Callable[..., Path], run: Import) -> None:
    write(rows(600))
    run()
    write(rows(610))
    assert counts(run()) == {"accepted": 20, "duplicate": 1271, "refused": 0}


def test_a_row_that_changed_since_is_refused_and_not_booked_twice(write: Callable[..., Path], run: Import) -> None:
    write(["1,A,2024-01-01,10.00"])
    run()
    write(["1,A,2024-01-01,11.00"])
    result = run()
    assert counts(result) == {"accepted": 0, "duplicate": 3, "refused": 1}
    assert (result.refused_rows[0].command, result.refused_rows[0].code) == ("order.place.v1", "already_exists")
    assert result.controls[0].difference == Decimal("-11.00")


@pytest.mark.parametrize("order", ["", 'order = "amount"'])
def test_rows_come_in_the_same_order_in_parts_of_any_size(
    write: Callable[..., Path], run: Import, event_store: EventStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, order: str
) -> None:
    write([f"{number},A,2024-01-01,{(number * 7) % 11 + 1}.00" for number in range(11)])
    step = tmp_path / "shop" / "steps" / "2-place.sql"
    step.write_text(step.read_text(encoding="utf-8").replace('rows = "orders"', f'rows = "orders"\n{order}'), encoding="utf-8")
    orders = []
    submit = CommandPipeline.submit
    for size in (20_000, 1, 4):
        monkeypatch.setattr("ltc_events.importing.rows.PART_ROWS", size)
        seen: list[Any] = []

        def submitted(pipeline: CommandPipeline, documents: Any, *, kept: list[Any] = seen, **more: Any) -> Any:
            kept += [one["id"] for one in documents]
            return submit(pipeline, documents, **more)

        with monkeypatch.context() as patch:
            patch.setattr(CommandPipeline, "submit", submitted)
            assert run(dry_run=True).balanced
        orders.append(seen)
    assert len(orders[0]) == 1 + 1 + 2 * 11
    assert orders[0] == orders[1] == orders[2]


def test_a_line_that_stands_twice_counts_once(write: Callable[..., Path], run: Import) -> None:
    write(["1,A,2024-01-01,10.00", "1,A,2024-01-01,10.00"])
    result = run()
    assert counts(result) == {"accepted": 4, "duplicate": 2, "refused": 0}
    assert [(one.source, one.ledger) for one in result.controls] == [(20, 10), (2, 1)]


@pytest.mark.parametrize("batches", [0, 1, 2])
def test_an_interrupted_import_goes_on(
    write: Callable[..., Path], run: Import, event_store: EventStore, monkeypatch: pytest.MonkeyPatch, batches: int
) -> None:
    write(rows(600))
    submit = CommandPipeline.submit
    done = 0

    def interrupted(pipeline: CommandPipeline, documents: Any, **more: Any) -> Any:
        nonlocal done
        if done == batches:
            raise KeyboardInterrupt
        done += 1
        return submit(pipeline, documents, **more)

    with monkeypatch.context() as patch:
        patch.setattr(CommandPipeline, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run()
    result = run()
    assert counts(result) == {"accepted": 1271 - 500 * batches, "duplicate": 500 * batches, "refused": 0}
    assert result.balanced
    assert event_store.head()[0] == 1 + 70 + 600 + 3 * 600


def test_a_rehearsal_decides_everything_and_stores_nothing(
    write: Callable[..., Path], run: Import, event_store: EventStore
) -> None:
    write([*rows(600), "bad,A,2024-02-30,1.00", "599,B,2024-01-01,7.00"])
    rehearsed = run(dry_run=True)
    assert event_store.head()[0] == 0
    real = run()
    assert counts(rehearsed) == counts(real)
    assert rehearsed.document() == {**real.document(), "dry_run": True, "run": ""}
    assert counts(run(dry_run=True)) == {"accepted": 0, "duplicate": counts(real)["accepted"], "refused": counts(real)["refused"]}


def test_what_was_refused_is_sent_once_more_when_asked_for(write: Callable[..., Path], run: Import, database: Database) -> None:
    """A refusal is final for its command, even when what it lacked is there now; `retry` gives it a new one."""
    write(["1,A,2024-01-01,10.00"], policies="")
    first = run()
    assert counts(first) == {"accepted": 0, "duplicate": 0, "refused": 1}, "a row is whole"
    assert [(one.code, one.command) for one in first.refused_rows[1:]] == [
        ("not_sent", "order.place.v1"),
        ("not_sent", "invoice.issue.v1"),
    ]
    assert "customer.register.v1 of the same row" in first.refused_rows[1].reason
    store = EventStore(database, Role.WRITER)
    policy = {
        "specversion": "1.0",
        "id": "0190163d-8694-739b-aea5-966c26f8ad91",
        "source": "test",
        "type": "ltc.policy.publish.v1",
        "subject": "b9b0b7f4-6e58-5e60-8d3c-5c4f4d5be8d5",
        "partitionkey": "b9b0b7f4-6e58-5e60-8d3c-5c4f4d5be8d5",
        "data": {"content": {"kind": "required_fields", "lead": [], "customer": ["name"]}},
    }
    from ltc_events.aggregates.policies import policy_id

    policy["subject"] = policy["partitionkey"] = str(policy_id("required_fields"))
    CommandPipeline(store, SystemClock()).submit([orjson.dumps(policy)])
    store.close()
    again = run()
    assert counts(again) == {"accepted": 0, "duplicate": 0, "refused": 1}
    assert again.refused_rows[0].code == "missing_fields"
    assert counts(run(retry="second")) == {"accepted": 3, "duplicate": 0, "refused": 0}
    assert counts(run(retry="second")) == {"accepted": 0, "duplicate": 3, "refused": 0}


def test_all_refused_rows_are_in_the_csv_file(
    write: Callable[..., Path], run: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltc_events.importing.reconciliation.REFUSED_ROWS_KEPT_MAX", 2)
    write([f'{number},"A, b",2024-01-01,ten' for number in range(5)])
    result = run(refused_csv=tmp_path / "refused.csv")
    assert len(result.refused_rows) == 2
    assert result.refused == 5
    assert [(one.field, one.value, one.count, one.first) for one in result.causes] == [("amount", "ten", 5, "orders.csv:2")]
    with (tmp_path / "refused.csv").open(encoding="utf-8", newline="") as file:
        written = list(csv.DictReader(file))
    assert [row["line"] for row in written] == ["2", "3", "4", "5", "6"]
    assert written[0] == {
        "file": "orders.csv",
        "line": "2",
        "command": "",
        "code": "not_a_number",
        "field": "amount",
        "value": "ten",
        "reason": "'ten' is not a number",
        "fix": "write it like 1234.56, or give its format in the mapping",
        "nearest": "",
    }


def test_a_place_for_refused_rows_that_cannot_be_written_is_found_first(
    write: Callable[..., Path], run: Import, tmp_path: Path, event_store: EventStore
) -> None:
    write(rows(1))
    with pytest.raises(DataUnusable, match="cannot be written there"):
        run(refused_csv=tmp_path / "nowhere" / "refused.csv")
    assert event_store.head()[0] == 0


@pytest.mark.parametrize("path", ["../outside.csv", "link.csv", "linked/outside.csv"])
def test_no_file_outside_the_folder_is_read(write: Callable[..., Path], run: Import, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write(rows(1))
    (tmp_path / "outside.csv").write_bytes((tmp_path / "orders.csv").read_bytes())
    (folder / "link.csv").symlink_to(tmp_path / "outside.csv")
    (folder / "linked").symlink_to(tmp_path)
    mapping = tmp_path / "shop" / "mapping.toml"
    mapping.write_text(mapping.read_text(encoding="utf-8").replace("orders.csv", path), encoding="utf-8")
    with pytest.raises(DataUnusable, match="not in"):
        run(folder=folder)


def test_a_folder_may_itself_be_a_link(write: Callable[..., Path], run: Import, tmp_path: Path) -> None:
    write(rows(1))
    (tmp_path / "there").symlink_to(tmp_path)
    assert counts(run(folder=tmp_path / "there"))["accepted"] > 0


def test_no_cell_of_the_refused_rows_is_a_formula(write: Callable[..., Path], run: Import, tmp_path: Path) -> None:
    write(["1,A,2024-01-01,=1+2", "2,A,2024-01-01,-1e"])
    run(refused_csv=tmp_path / "refused.csv")
    with (tmp_path / "refused.csv").open(encoding="utf-8", newline="") as file:
        assert [row["value"] for row in csv.DictReader(file)] == ["'=1+2", "'-1e"]


def test_progress_is_told_by_rows(write: Callable[..., Path], run: Import) -> None:
    write(rows(600))
    told: list[Progress] = []
    run(progress=told.append)
    begun = [one.file for one in told if not one.rows_total]
    assert begun == ["orders.csv", "orders", "steps/1-register.sql", "steps/2-place.sql", "steps/3-bill.sql"]
    told = told[len(begun) :]
    assert [one.commands for one in told] == [500, 1000, 1271]
    assert told[-1] == Progress("orders.csv", 600, 600, 1271)
    assert all(one.rows_total == 600 for one in told)


def test_the_result_is_one_json_document(write: Callable[..., Path], run: Import) -> None:
    write(["1,A,2024-01-01,10.00", "2,A,2024-01-01,"])
    document = json.loads(orjson.dumps(run().document()))
    assert document["balanced"] is False
    assert document["files"] == [
        {"name": "orders", "path": "orders.csv", "rows": 2, "used": 1, "refused": 1, "skipped": {}, "unmatched": {}}
    ]
    assert document["controls"][0] == {
        "name": "orders",
        "currency": "EUR",
        "note": None,
        "source": "10.00",
        "source_rows": 1,
        "unreadable": 0,
        "ledger": "10.00",
        "ledger_events": 1,
        "other_currency": 0,
        "refused": 1,
        "duplicate": 0,
        "difference": "0.00",
    }
    assert (document["complete"], document["duplicates"]) == (False, 0)
    assert document["refused"] == 1
    assert document["refused_rows"][0]["reason"] == "lines[1].unit_price of order.place.v1 is empty"


def test_what_is_missing_from_both_sides_does_not_come_out(
    write: Callable[..., Path], run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unreadable rows are in neither total: that both agree says nothing about them."""
    stream = io.StringIO()
    monkeypatch.setattr(output, "out", console := PlainConsole(file=stream, width=300))
    monkeypatch.setattr(importing, "out", console)
    write(["1,A,2024-01-01,10.00", "2,A,2024-01-01,ten"])
    result = run()
    orders = result.controls[0]
    assert (orders.difference, orders.unreadable, orders.refused, orders.duplicate) == (0, 1, 1, 0)
    result.controls.pop()  # the number of rows differs
    assert (result.balanced, result.complete, result.all_new) == (True, False, False)
    importing.show(result, None)
    assert "comes out" not in stream.getvalue()
    assert "1 rows and commands refused, 1 rows unreadable" in stream.getvalue()
    write(["1,A,2024-01-01,10.00"])
    again = run()
    assert (again.balanced, again.complete, again.all_new) == (True, True, False), "duplicates are there, but not new"
    assert (again.controls[0].duplicate, again.duplicates) == (1, 4), "its three commands, and the policy"
    importing.show(again, None)
    assert "Every control total agrees." in stream.getvalue()


@pytest.mark.parametrize("rows", [["1,A,2024-01-01,10.00"], ["1,A,2024-01-01,10.00", "2,A,2024-01-01,ten"]])
def test_where_a_mapping_states_no_totals_none_comes_out(
    write: Callable[..., Path], run: Import, monkeypatch: pytest.MonkeyPatch, rows: list[str]
) -> None:
    stream = io.StringIO()
    console = PlainConsole(file=stream, width=300)
    monkeypatch.setattr(output, "out", console)
    monkeypatch.setattr(importing, "out", console)
    write(rows)
    result = run()
    result.controls.clear()
    importing.show(result, None)
    told = stream.getvalue()
    assert "comes out" not in told
    assert "The mapping states no control totals: no sum is compared with the source." in told
    assert ("1 rows and commands were refused" in told) is (len(rows) > 1)


def test_a_rehearsal_counts_no_events_of_others(write: Callable[..., Path], run: Import, event_store: EventStore) -> None:
    """Said twice in a rehearsal, a command has no stored events; where it would have had them, those of others are."""
    write(rows(10))
    run()
    write(["901,new,2024-01-01,10.00", "901,new,2024-01-01,10.00"])
    result = run(dry_run=True)
    assert [one.ledger for one in result.controls] == [Decimal("10.00"), 1]
    assert result.controls[0].duplicate == 1


@pytest.mark.parametrize("batch", [500, 1, 2])
def test_a_row_is_whole_wherever_batches_are_cut(
    write: Callable[..., Path], run: Import, event_store: EventStore, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(sending, "BATCH", batch)
    write(["1,A,2024-01-01,10.00", "2,B,2024-01-01,-10.00", "3,C,2024-01-01,10.00"])
    result = run()
    refused = [(one.line, one.command, one.code) for one in result.refused_rows]
    assert [one[:2] for one in refused] == [(3, "order.place.v1"), (3, "invoice.issue.v1")]
    assert refused[1][2] == "not_sent"
    assert counts(result) == {"accepted": 1 + 3 + 1 + 3, "duplicate": 0, "refused": 1}
    assert result.commands["invoice.issue.v1"].not_sent == 1


def test_batches_are_bounded(write: Callable[..., Path], run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    submit = CommandPipeline.submit
    monkeypatch.setattr(
        CommandPipeline, "submit", lambda self, batch, **more: sizes.append(len(batch)) or submit(self, batch, **more)
    )
    write(rows(600))
    run()
    assert sizes == [500, 500, 271]
    assert sending.BATCH == 500


def test_rows_of_another_database_are_read_as_they_are_there(
    write: Callable[..., Path], database: Database, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write([])
    mapping = folder / "shop" / "mapping.toml"
    toml = mapping.read_text(encoding="utf-8")
    mapping.write_text(toml.replace('path = "orders.csv"', 'url_env = "SHOP_URL"\ntable = "orders"'), encoding="utf-8")
    monkeypatch.setenv("SHOP_URL", database.conninfo)
    with database.connect(Role.OWNER) as connection:
        connection.execute("CREATE TABLE public.orders (id int, customer text, ordered date, amount numeric(12, 2))")
        connection.execute(
            "INSERT INTO public.orders VALUES (1, 'Acme Ltd', '2024-02-29', 10.50), (2, 'Bolt Ltd', '2024-03-01', 20)"
        )
    result = run_import(folder / "shop", folder, event_store, SystemClock())
    assert result.balanced
    assert result.refused == 0
    assert [one.ledger for one in result.controls] == [Decimal("30.50"), 2]
