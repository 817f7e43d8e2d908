"""The second month: the same mapping with the next export sends what is new and what changed, whatever happens in between."""

import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.mappings import write_mapping

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.importing import MappingInvalid, Reconciliation, run_import
from ltc_events.importing.changes import compile_following
from ltc_events.importing.mapping import StepHead
from ltc_events.importing.undo import undo, undoing
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.base import COMMANDS
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.store import Database, EventStore, Role

MAPPING = """
name = "crm"
currency = "EUR"

[sources.deals]
path = "deals.csv"
{key}

[[policies]]
kind = "required_fields"
time = 2020-01-01
content = {{ lead = [], customer = ["name"] }}

[[policies]]
kind = "stages"
time = 2020-01-01
content = {{ stages = [{{ name = "new", probability = "10" }}, {{ name = "offer", probability = "50" }}] }}

[[controls]]
name = "worth"
rows = "deals"
sum = "amount"
against = "ledger"
subject = "ltc_id('deal', id)"
state = "opportunity"
field = "amount"

[[controls]]
name = "customers"
rows = "deals"
against = "ledger"
subject = "customer"
event = "customer.registered"
"""
TABLE = """
SELECT id, customer AS name, ltc_id('customer', customer) AS customer, nullif(phone, '') AS phone, stage,
  ltc_date(opened, '%Y-%m-%d') AS opened, ltc_date(modified, '%Y-%m-%d') AS modified, ltc_amount(amount, '1234.56') AS amount
FROM deals
"""
REGISTER = """
rows = "deals"
if_new = "customer.register"
if_changed = "customer.update_profile"

SELECT customer AS subject, opened AS time, modified AS changed,
  {'name': name, 'phone': phone, 'country': 'DE'} AS profile FROM deals
"""
OPEN = """
rows = "deals"
if_new = "opportunity.open"
if_changed = ["opportunity.change_amount", "opportunity.advance_stage", "opportunity.move_stage_back"]
{more}

SELECT ltc_id('deal', id) AS subject, customer, opened AS time, modified AS changed, 'Deal ' || id AS title, amount,
  {currency} AS currency, stage, 'as the export says' AS reason
FROM deals
"""
LOST = """vanished = { command = "opportunity.lose", reason = "other", note = "no longer in the export" }"""
BACK = """if_back = { command = "opportunity.reopen", reason = "in the export again" }"""

HEADER = "id,customer,phone,stage,opened,modified,amount"
JANUARY = [
    "1,Ada,030 1234567,new,2024-01-02,2024-01-02,100.00",
    "2,Bea,030 7654321,offer,2024-01-03,2024-01-20,200.00",
    "3,Cid,,new,2024-01-04,2024-01-04,300.00",
]

Month = Callable[..., Reconciliation]


@pytest.fixture
def month(tmp_path: Path, event_store: EventStore) -> Month:
    """Imports these rows, with the same mapping each month but for what a test says of it."""

    def month(
        rows: list[str],
        *,
        header: str = HEADER,
        more: str = "",
        key: str = 'key = "id"',
        currency: str = "'EUR'",
        deals: str = OPEN,
        **options: Any,
    ) -> Reconciliation:
        deals = deals.replace("{more}", more).replace("{currency}", currency)
        steps = {"steps_1_register": REGISTER, "steps_2_open": deals}
        write_mapping(tmp_path / "crm", MAPPING.format(key=key), tables_deals=TABLE, **steps)
        (tmp_path / "deals.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return run_import(tmp_path / "crm", tmp_path, event_store, SystemClock(), **options)

    return month


def changed(rows: list[str], *changes: tuple[str, str]) -> list[str]:
    """The rows with parts of them replaced."""
    text = "\n".join(rows)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text.splitlines()


FEBRUARY = [
    *changed(
        JANUARY,
        ("1,Ada,030 1234567,new,2024-01-02,2024-01-02,100.00", "1,Ada,030 1111111,offer,2024-01-02,2024-02-10,150.00"),
        ("2,Bea,030 7654321,offer,2024-01-03,2024-01-20", "2,Bea,030 7654321,new,2024-01-03,2024-02-11"),
    ),
    "4,Dan,,new,2024-02-05,2024-02-05,400.00",
]


def accepted(result: Reconciliation) -> dict[str, int]:
    return {type: count.accepted for type, count in result.commands.items() if count.accepted}


def deal(store: EventStore, id: str) -> list[str]:
    """What happened to a deal, by type and day."""
    return [f"{one.event.type} {one.effective_on}" for one in store.stream(derive_id("import", "crm", "deal", id))]


def of(types: dict[str, int], **wanted: int) -> bool:
    return types == {f"{name.replace('__', '.')}.v1": number for name, number in wanted.items()}


def test_the_second_month_sends_what_is_new_and_what_changed(month: Month, event_store: EventStore) -> None:
    first = month(JANUARY)
    assert first.refused == 0
    assert first.balanced
    second = month(FEBRUARY)
    assert second.refused == 0
    assert of(
        accepted(second) | {"policy.publish.v1": 0},
        policy__publish=0,
        customer__register=1,
        customer__update_profile=1,
        opportunity__open=1,
        opportunity__change_amount=1,
        opportunity__advance_stage=1,
        opportunity__move_stage_back=1,
    )
    assert (second.commands["customer.register.v1"].unchanged, second.commands["opportunity.open.v1"].unchanged) == (2, 1)
    assert [(one.source, one.ledger) for one in second.controls] == [(Decimal(1050), Decimal(1050)), (4, 4)]
    assert deal(event_store, "1")[1:] == [
        "opportunity.amount_changed.v1 2024-02-10",
        "opportunity.stage_changed.v1 2024-02-10",
    ]


def test_the_same_export_again_changes_nothing(month: Month, event_store: EventStore) -> None:
    month(JANUARY)
    month(FEBRUARY)
    head = event_store.head()
    again = month(FEBRUARY)
    assert event_store.head() == head
    assert accepted(again) == {}
    assert again.balanced


WIN = """
rows = "deals"
command = "opportunity.win"
unless = "won"

SELECT ltc_id('deal', id) AS subject, customer, modified AS time, 'won there' AS reason FROM deals WHERE stage = 'offer'
"""


def test_what_is_so_already_is_not_sent_again(tmp_path: Path, event_store: EventStore) -> None:
    """A deal that was won is dated otherwise in the next export, and that is no other win."""

    def month(row: str, **options: Any) -> dict[str, tuple[int, int, int]]:
        deals = OPEN.replace("{more}", "").replace("{currency}", "'EUR'").replace(" stage,", " CAST(NULL AS VARCHAR) AS stage,")
        steps = {"steps_1_register": REGISTER, "steps_2_open": deals, "steps_3_win": WIN}
        write_mapping(tmp_path / "crm", MAPPING.format(key=""), tables_deals=TABLE, **steps)
        (tmp_path / "deals.csv").write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
        result = run_import(tmp_path / "crm", tmp_path, event_store, SystemClock(), **options)
        assert result.refused_rows == []
        return {type: (one.accepted, one.unchanged, one.duplicate) for type, one in result.commands.items()}

    assert "opportunity.win.v1" not in month("1,Ada,,new,2024-01-02,2024-01-02,100.00")
    won = "1,Ada,,offer,2024-01-02,2024-02-0{},100.00"
    assert month(won.format(5), dry_run=True)["opportunity.win.v1"] == (1, 0, 0)
    assert month(won.format(5))["opportunity.win.v1"] == (1, 0, 0)
    head = event_store.head()
    assert month(won.format(5))["opportunity.win.v1"] == (0, 1, 0)
    assert month(won.format(9))["opportunity.win.v1"] == (0, 1, 0)
    assert event_store.head() == head


@pytest.mark.parametrize(
    ("name", "unless", "problem"),
    [
        ("opportunity.win", ["wonn"], "unless: wonn is no status of this: opportunity"),
        ("order.cancel", ["cancelled"], "unless: cancelled is no status of this: order"),
    ],
)
def test_a_status_that_nothing_has_is_a_mistake(name: str, unless: list[str], problem: str) -> None:
    told: list[tuple[str, str]] = []
    head = StepHead(rows="deals", command=name, unless=unless)
    compile_following(head, COMMANDS[f"{name}.v1"], {}, lambda *one: told.append(one))
    assert told[0][0] == problem


def test_to_and_fro_is_three_changes(month: Month, event_store: EventStore) -> None:
    """A change back to what was once said is not taken for a repetition of it."""
    one = ["1,Ada,,new,2024-01-02,2024-0{}-02,{}"]
    for number, amount in enumerate(["100.00", "200.00", "100.00", "200.00"], 1):
        result = month([one[0].format(number, amount)])
        assert result.balanced
        assert result.refused == 0
    assert len(deal(event_store, "1")) == 4


def test_an_older_export_takes_nothing_back(month: Month, event_store: EventStore) -> None:
    month(JANUARY)
    month(FEBRUARY)
    head = event_store.head()
    old = month(JANUARY)
    assert event_store.head() == head
    assert {row.code for row in old.refused_rows} == {"stale", "not_sent"}


def test_a_row_that_was_refused_goes_through_when_it_is_mended(month: Month) -> None:
    bad = changed(JANUARY, ("300.00", "300.005"), ("030 1234567", "no phone"))
    first = month(bad)
    assert first.refused > 0
    assert not first.complete
    mended = month(JANUARY)
    assert mended.refused == 0
    assert mended.balanced


def test_a_date_format_that_changed_refuses_rows_and_nothing_is_taken_as_gone(month: Month, event_store: EventStore) -> None:
    month(JANUARY, more=LOST)
    head = event_store.head()
    result = month([row.replace("2024-01-", "01/").replace(",01/", ",01/") for row in JANUARY], more=LOST)
    assert event_store.head() == head
    assert [row.code for row in result.refused_rows] == ["not_a_date"] * len(result.refused_rows)
    assert result.vanished_counts["opportunity"] == 0


def test_a_column_that_was_added_or_moved_changes_nothing(month: Month, event_store: EventStore) -> None:
    month(JANUARY)
    head = event_store.head()
    header = "owner,amount,id,customer,phone,stage,opened,modified"
    moved = []
    for row in JANUARY:
        *rest, amount = row.split(",")
        moved.append(",".join(["Me", amount, *rest]))
    assert month(moved, header=header).balanced
    assert event_store.head() == head


def test_a_column_that_is_missing_is_a_mistake_before_anything_is_sent(month: Month, event_store: EventStore) -> None:
    month(JANUARY)
    head = event_store.head()
    with pytest.raises(MappingInvalid, match="amount"):
        month([row.rpartition(",")[0] for row in JANUARY], header=HEADER.removesuffix(",amount"))
    assert event_store.head() == head


def test_two_rows_that_say_different_things_of_one_are_told_each_time(month: Month, event_store: EventStore) -> None:
    """Without a key of the source: the first one holds, the other is refused, and the next run does not go to and fro."""
    rows = [*JANUARY, "1,Ada,030 1234567,new,2024-01-02,2024-01-02,111.00"]
    first = month(rows, key="")
    assert [(row.line, row.code) for row in first.refused_rows] == [(5, "contradicts")]
    head = event_store.head()
    again = month(rows, key="")
    assert event_store.head() == head
    assert [(row.line, row.code) for row in again.refused_rows] == [(5, "contradicts")]


@pytest.mark.parametrize("batch", [0, 1, 2, 3])
def test_a_month_that_was_cut_off_goes_on(
    month: Month, event_store: EventStore, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """Cut off between any two transactions, and imported again, it comes to the same events of each deal, on the same days."""
    month(JANUARY)
    monkeypatch.setattr("ltc_events.importing.sending.BATCH", 2)
    append = EventStore.begin_append
    done = 0

    def cut_off(store: EventStore, commit: Any) -> Any:
        nonlocal done
        if done == batch:
            raise KeyboardInterrupt
        done += 1
        return append(store, commit)

    with monkeypatch.context() as patch:
        patch.setattr(EventStore, "begin_append", cut_off)
        with pytest.raises(KeyboardInterrupt):
            month(FEBRUARY)
    result = month(FEBRUARY)
    assert result.refused == 0
    assert result.balanced
    assert deal(event_store, "1") == [
        "opportunity.opened.v1 2024-01-02",
        "opportunity.amount_changed.v1 2024-02-10",
        "opportunity.stage_changed.v1 2024-02-10",
    ]
    assert deal(event_store, "4") == ["opportunity.opened.v1 2024-02-05"]


def test_a_new_row_and_what_it_needs_besides_are_stored_together(month: Month, event_store: EventStore) -> None:
    month(JANUARY)
    assert deal(event_store, "2") == ["opportunity.opened.v1 2024-01-03", "opportunity.stage_changed.v1 2024-01-20"]
    opened, advanced = event_store.stream(derive_id("import", "crm", "deal", "2"))
    assert opened.recorded_at == advanced.recorded_at


def test_two_imports_at_once_change_everything_once(
    month: Month, tmp_path: Path, database: Database, event_store: EventStore
) -> None:
    rows = [f"{n},Customer {n},,new,2024-01-02,2024-01-02,{n + 1}.00" for n in range(60)]
    month(rows)
    moved = [row.replace(",new,", ",offer,").replace("01-02,2024-01-02", "01-02,2024-02-02") for row in rows]
    (tmp_path / "deals.csv").write_text("\n".join([HEADER, *moved, ""]), encoding="utf-8")
    results = []

    def run() -> None:
        with EventStore(database, Role.WRITER) as store:
            results.append(run_import(tmp_path / "crm", tmp_path, store, SystemClock()))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.refused for one in results] == [0, 0]
    assert {tuple(deal(event_store, str(n))[1:]) for n in range(60)} == {("opportunity.stage_changed.v1 2024-02-02",)}


def test_a_rehearsal_of_a_month_tells_what_the_month_does(month: Month, event_store: EventStore) -> None:
    month(JANUARY)
    head = event_store.head()
    rehearsed = month(FEBRUARY, dry_run=True)
    assert event_store.head() == head
    real = month(FEBRUARY)
    assert rehearsed.document() == {**real.document(), "dry_run": True, "run": ""}


def reopen(store: EventStore, id: str) -> None:
    """What a person does who knows better than the export."""
    document = {
        "specversion": "1.0",
        "id": str(derive_id("test", "reopen", id)),
        "source": "test",
        "type": "ltc.opportunity.reopen.v1",
        "subject": str(derive_id("import", "crm", "deal", id)),
        "partitionkey": str(derive_id("import", "crm", "customer", "Ada")),
        "data": {"reason": "still in talks"},
    }
    [answer] = CommandPipeline(store, SystemClock()).submit([document])
    assert isinstance(answer, Outcome)
    assert answer.status is Status.ACCEPTED, answer


def take_back(store: EventStore, month: Reconciliation) -> None:
    """Undo a run, all of it."""
    assert undo(CommandPipeline(store, SystemClock()), undoing(store, month.run)).refused == []


def test_the_right_file_goes_through_after_the_wrong_one_was_taken_back(month: Month, event_store: EventStore) -> None:
    month(JANUARY)
    wrong = month(changed(JANUARY, ("2024-01-02,100.00", "2024-02-12,999.00")))
    take_back(event_store, wrong)
    right = month(changed(JANUARY, ("2024-01-02,100.00", "2024-02-10,150.00")))
    assert right.refused == 0, right.refused_rows
    assert of(accepted(right), opportunity__change_amount=1)
    assert right.balanced
    assert month(changed(JANUARY, ("2024-01-02,100.00", "2024-02-10,150.00"))).balanced


@pytest.mark.parametrize(("noun", "command"), [("order", "order.amend"), ("order", "order.report_delivery")])
def test_what_is_held_otherwise_than_it_is_said_cannot_be_compared(noun: str, command: str) -> None:
    found: list[str] = []
    head = StepHead(if_new="order.place", if_changed=[command])
    columns = dict.fromkeys(("reason", "lines", "delivery_id", "currency"))
    compile_following(head, COMMANDS[f"{noun}.place.v1"], columns, lambda problem, _: found.append(problem))
    assert found == [f"if_changed: {command} says nothing that the ledger could be asked for"]


def test_a_renewal_needs_no_value_to_be_seen() -> None:
    head = StepHead(if_new="contract.sign", if_changed=["contract.renew"])
    columns = dict.fromkeys(("starts_on", "ends_on", "value", "currency"))
    following = compile_following(head, COMMANDS["contract.sign.v1"], columns, lambda *_: None)
    assert following is not None
    [renew] = following.changes
    data = renew.command({"ends_on": "2026-12-31"})
    assert data == {"ends_on": "2026-12-31"}
    held = SimpleNamespace(ends_on=date(2025, 12, 31), value=Decimal(100))
    assert renew.differs(data, held)
    assert not renew.differs({"ends_on": "2025-12-31"}, held)
    assert renew.differs({"ends_on": "2025-12-31", "value": "120"}, held)


class TestCannotChange:
    def test_a_currency_that_is_another_is_told_and_the_amount_is_not_changed(
        self, month: Month, event_store: EventStore
    ) -> None:
        month(JANUARY)
        head = event_store.head()
        dollars = "CASE id WHEN '1' THEN 'USD' ELSE 'EUR' END"
        for rows in (JANUARY, changed(JANUARY, ("2024-01-02,100.00", "2024-02-02,110.00"))):
            result = month(rows, currency=dollars)
            assert [(row.line, row.code) for row in result.refused_rows] == [(2, "cannot_change")]
            assert result.refused_rows[0].reason == "currency is EUR in the ledger, and the row says USD"
            assert result.refused_rows[0].fix.endswith("no command changes currency")
            assert result.commands["opportunity.open.v1"].unchanged == 2
            assert event_store.head() == head

    def test_what_another_command_could_change_is_told_with_it(self, month: Month, event_store: EventStore) -> None:
        deals = OPEN.replace(' "opportunity.advance_stage",', "").replace(' "opportunity.move_stage_back"', "")
        deals = deals.replace(" stage, 'as the", " {close} AS expected_close_on, 'as the")
        month(JANUARY, deals=deals.replace("{close}", "DATE '2024-03-01'"))
        head = event_store.head()
        result = month(JANUARY, deals=deals.replace("{close}", "CASE id WHEN '1' THEN DATE '2024-04-01' END"))
        assert [(row.line, row.code) for row in result.refused_rows] == [(2, "cannot_change")]
        assert result.refused_rows[0].reason == "expected_close_on is 2024-03-01 in the ledger, and the row says 2024-04-01"
        assert result.refused_rows[0].fix.startswith("name opportunity.change_close_date in if_changed")
        assert event_store.head() == head


class TestVanished:
    def test_it_is_reported(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY, more='vanished = "report"')
        head = event_store.head()
        result = month(JANUARY[1:], more='vanished = "report"')
        assert event_store.head() == head
        assert [(one.noun, one.name) for one in result.vanished] == [("opportunity", "Deal 1")]

    def test_it_is_taken_as_gone_once_and_comes_back(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY, more=LOST)
        gone = month(JANUARY[1:], more=LOST)
        assert of(accepted(gone), opportunity__lose=1)
        head = event_store.head()
        assert accepted(month(JANUARY[1:], more=LOST)) == {}
        assert event_store.head() == head
        told = month(JANUARY, more=LOST)
        assert [row.code for row in told.refused_rows] == ["back"]
        assert event_store.head() == head
        back = month(JANUARY_BACK, more=f"{LOST}\n{BACK}")
        assert back.refused == 0, back.refused_rows
        assert of(accepted(back), opportunity__reopen=1, opportunity__change_amount=1)
        head = event_store.head()
        assert accepted(month(JANUARY_BACK, more=f"{LOST}\n{BACK}")) == {}
        assert event_store.head() == head
        assert of(accepted(month(JANUARY[1:], more=LOST)), opportunity__lose=1), "it may vanish again"

    @pytest.mark.parametrize("how", ["by hand", "by undo"])
    def test_what_was_reopened_is_no_longer_gone(self, month: Month, event_store: EventStore, how: str) -> None:
        month(JANUARY, more=LOST)
        gone = month(JANUARY[1:], more=LOST)
        if how == "by hand":
            reopen(event_store, "1")
        else:
            take_back(event_store, gone)
        more = changed(JANUARY, ("2024-01-02,100.00", "2024-02-02,120.00"))
        for back in ("", BACK):
            result = month(more, more=f"{LOST}\n{back}")
            assert result.refused == 0, result.refused_rows
        assert [one.partition(" ")[0] for one in deal(event_store, "1")[1:]] == [
            "opportunity.lost.v1",
            "opportunity.reopened.v1",
            "opportunity.amount_changed.v1",
        ]
        assert of(accepted(month(more[1:], more=LOST)), opportunity__lose=1), "it may vanish again"
        assert [row.code for row in month(more, more=LOST).refused_rows] == ["back"]

    def test_what_was_reopened_by_hand_may_stay_away(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY, more=LOST)
        month(JANUARY[1:], more=LOST)
        reopen(event_store, "1")
        assert of(accepted(month(JANUARY[1:], more=LOST)), opportunity__lose=1)

    def test_a_row_that_was_changed_before_it_vanished_comes_back(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY, more=LOST)
        month(JANUARY[1:], more=LOST)
        more = changed(JANUARY, ("2024-01-02,100.00", "2024-02-02,120.00"))
        back = month(more, more=f"{LOST}\n{BACK}")
        assert back.refused == 0, back.refused_rows
        assert of(accepted(back), opportunity__reopen=1, opportunity__change_amount=1)
        assert len({one.partition(" ")[2] for one in deal(event_store, "1")[1:]}) == 1, "all on the day of the loss"
        head = event_store.head()
        assert month(more, more=f"{LOST}\n{BACK}").refused == 0
        assert event_store.head() == head

    def test_it_is_told_that_it_is_back_without_if_changed_too(self, month: Month, event_store: EventStore) -> None:
        deals = "\n".join(line for line in OPEN.splitlines() if not line.startswith("if_changed"))
        deals = deals.replace("stage, 'as the export says' AS reason", "'Me' AS owner")
        month(JANUARY, more=LOST, deals=deals)
        month(JANUARY[1:], more=LOST, deals=deals)
        head = event_store.head()
        result = month(JANUARY, more=LOST, deals=deals)
        assert [(row.line, row.code) for row in result.refused_rows] == [(2, "back")]
        assert result.commands["opportunity.open.v1"].duplicate == 2
        assert event_store.head() == head

    def test_a_row_that_a_join_left_out_may_be_it(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY, more=LOST)
        head = event_store.head()
        joined = OPEN.replace(
            "FROM deals", "FROM deals JOIN raw.deals AS other ON other.id = CASE deals.id WHEN '1' THEN '9' ELSE deals.id END"
        )
        joined = joined.replace("', id)", "', deals.id)").replace("|| id", "|| deals.id")
        for column in ("customer", "stage", "opened", "modified", "amount"):
            joined = joined.replace(f" {column}", f" deals.{column}")
        result = month(JANUARY, more=LOST, deals=joined)
        assert event_store.head() == head
        assert [(row.code, row.reason) for row in result.refused_rows] == [
            ("not_taken_as_gone", "1 vanished, and joins left out 1 rows: they may be among them")
        ]

    def test_a_row_that_another_step_leaves_out_is_named_all_the_same(self, tmp_path: Path, event_store: EventStore) -> None:
        """Only what names things first may miss them: a step with `unless` alone is about some of them."""
        deals = OPEN.replace("{more}", LOST).replace("{currency}", "'EUR'")
        win = """
rows = "deals"
command = "opportunity.win"
unless = "won"

SELECT ltc_id('deal', d.id) AS subject, d.customer AS customer, d.modified AS time, 'won there' AS reason
FROM deals AS d JOIN raw.deals AS other ON other.id = '9'
"""
        write_mapping(
            tmp_path / "crm",
            MAPPING.format(key=""),
            tables_deals=TABLE,
            steps_1_register=REGISTER,
            steps_2_open=deals,
            steps_3_win=win,
        )
        for rows in (JANUARY, JANUARY[1:]):
            (tmp_path / "deals.csv").write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
            result = run_import(tmp_path / "crm", tmp_path, event_store, SystemClock())
        assert result.files[0].unmatched
        assert result.refused_rows == []
        assert accepted(result) == {"opportunity.lose.v1": 1}

    def test_half_an_export_takes_nothing_as_gone(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY, more=LOST)
        head = event_store.head()
        result = month(JANUARY[:1], more=LOST)
        assert event_store.head() == head
        assert [row.code for row in result.refused_rows] == ["not_taken_as_gone"]
        assert result.vanished_counts["opportunity"] == 2

    def test_what_has_long_been_gone_makes_no_half_export_whole(self, month: Month, event_store: EventStore) -> None:
        rows = [f"{n},Customer {n},,new,2024-01-02,2024-01-02,{n}.00" for n in range(1, 10)]
        month(rows, more=LOST)
        for left in (5, 3):
            month(rows[:left], more=LOST)
        head = event_store.head()
        result = month(rows[:1], more=LOST)
        assert event_store.head() == head
        assert [row.reason.partition(",")[0] for row in result.refused_rows] == ["2 of 3 vanished"]

    def test_an_empty_export_takes_not_even_the_only_one_as_gone(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY[:1], more=LOST)
        head = event_store.head()
        result = month([], more=LOST)
        assert event_store.head() == head
        assert [row.code for row in result.refused_rows] == ["not_taken_as_gone"]
        assert of(
            accepted(month(["5,Eva,,new,2024-02-05,2024-02-05,5.00"], more=LOST)),
            customer__register=1,
            opportunity__open=1,
            opportunity__lose=1,
        )

    def test_a_row_that_cannot_be_read_may_be_it(self, month: Month, event_store: EventStore) -> None:
        month(JANUARY, more=LOST)
        head = event_store.head()
        result = month([*JANUARY[1:], '1,"Ada'], more=LOST)
        assert event_store.head() == head
        assert "not_taken_as_gone" in [row.code for row in result.refused_rows]


JANUARY_BACK = changed(JANUARY, ("2024-01-02,100.00", f"{SystemClock().now():%Y-%m-%d},120.00"))
