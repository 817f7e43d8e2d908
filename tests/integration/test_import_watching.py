"""A watch takes the ledger back to no older export, whoever else imports at the same time and whenever exports come."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.mappings import write_mapping

from ltc_events.application.clock import SystemClock
from ltc_events.importing import DataUnusable
from ltc_events.importing.exclusive import only_import
from ltc_events.importing.mapping import read_folder
from ltc_events.importing.watching import FolderWatch, WatchOptions, takes_back
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.feeds import SessionLock

MAPPING = """
name = "crm"
currency = "EUR"

[sources.deals]
path = "deals-*.csv"

[[policies]]
kind = "required_fields"
time = 2020-01-01
content = { lead = [], customer = ["name"] }

[[policies]]
kind = "stages"
time = 2020-01-01
content = { stages = [{ name = "new", probability = "10" }] }
"""
REGISTER = """
rows = "deals"
command = "customer.register"
once = true

SELECT ltc_id('customer', customer) AS subject, ltc_date(opened, '%Y-%m-%d') AS time, {'name': customer} AS profile FROM deals
"""
OPEN = """
rows = "deals"
if_new = "opportunity.open"
if_changed = "opportunity.change_amount"
{more}

SELECT ltc_id('deal', id) AS subject, ltc_id('customer', customer) AS customer, ltc_date(opened, '%Y-%m-%d') AS time,
  {changed} 'Deal ' || id AS title, ltc_amount(amount, '1234.56') AS amount, 'EUR' AS currency,
  'as the export says' AS reason
FROM deals
"""
CHANGED = "ltc_date(modified, '%Y-%m-%d') AS changed,"
HEADER = "id,customer,opened,modified,amount\n"


class Inbox:
    """A mapping whose changes have no date, and the folder that its exports come into."""

    def __init__(self, root: Path, database: Database) -> None:
        self.root = root
        self.database = database
        self.data = root / "data"
        self.data.mkdir()
        self.stores: list[EventStore] = []
        self.write()

    def write(self, *, mapping: str = MAPPING, changed: str = "", more: str = "") -> None:
        steps = {"steps_1_register": REGISTER, "steps_2_open": OPEN.replace("{changed}", changed).replace("{more}", more)}
        write_mapping(self.root / "crm", mapping, **steps)

    def put(self, key: str, amount: int, modified: str = "2024-01-02") -> None:
        text = f"{HEADER}1,Ada,2024-01-02,{modified},{amount}.00\n"
        (self.data / f"deals-{key}.csv").write_text(text, encoding="utf-8")

    def watch(self, store: EventStore | None = None, *, during: Callable[[], Any] = bool, **options: Any) -> FolderWatch:
        """A watch; `during` is called amid its imports."""
        if store is None:
            store = EventStore(self.database, Role.WRITER)
            self.stores.append(store)
        read, mistakes = read_folder(self.root / "crm")
        assert read is not None
        assert not mistakes
        return FolderWatch(
            read,
            self.data,
            store,
            SystemClock(),
            WatchOptions(settle_s=0, **options),
            pause=lambda _: None,
            is_stopping=lambda: bool(during()),
        )

    def amounts(self) -> list[str]:
        """What the deal was worth, in the order of the log."""
        with EventStore(self.database, Role.WRITER) as store:
            records = store.read(0, 1000, types=["opportunity.opened.v1", "opportunity.amount_changed.v1"])
        events: list[Any] = [one.event for one in records]
        return [str(one.amount) for one in events]


@pytest.fixture
def inbox(tmp_path: Path, database: Database) -> Any:
    made = Inbox(tmp_path, database)
    yield made
    for store in made.stores:
        store.close()


def test_a_watch_stands_by_while_another_one_imports(inbox: Inbox) -> None:
    inbox.put("2024-01", 100)
    inbox.put("2024-02", 200)
    other, seen = inbox.watch(), []
    mine = inbox.watch(during=lambda: seen.append(other.see_to_next()))
    assert mine.see_to_next() is True
    assert set(seen) == {None}
    assert inbox.amounts() == ["100"]
    assert [other.see_to_next(), mine.see_to_next()] == [True, False]
    assert inbox.amounts() == ["100", "200"]


def test_what_another_one_imported_in_between_is_not_sent_again(inbox: Inbox) -> None:
    inbox.put("2024-01", 100)
    inbox.put("2024-02", 200)
    other = inbox.watch()

    class Late(EventStore):
        def lock(self, name: str) -> SessionLock:
            while other.see_to_next():
                pass
            return super().lock(name)

    with Late(inbox.database, Role.WRITER) as store:
        mine = inbox.watch(store)
        while mine.see_to_next():
            pass
    assert mine.left() == []
    assert inbox.amounts() == ["100", "200"]


def test_a_plain_import_waits_for_a_watch_and_a_watch_for_it(inbox: Inbox, event_store: EventStore) -> None:
    inbox.put("2024-01", 100)
    watch = inbox.watch()
    with only_import(event_store, inbox.root / "crm", lambda: None) as require_alone:
        require_alone()
        assert watch.see_to_next() is None
    assert watch.see_to_next() is True
    told: list[bool] = []
    holder = event_store.lock("import/crm/crm")
    assert holder.take()

    def let_go() -> None:
        told.append(True)
        holder.close()

    with only_import(event_store, inbox.root / "crm" / "mapping.toml", let_go):
        assert told == [True]


def test_an_export_that_comes_late_is_refused(inbox: Inbox) -> None:
    inbox.put("2024-02", 200)
    watch = inbox.watch()
    assert watch.see_to_next() is True
    inbox.put("2024-01", 100)
    assert [watch.see_to_next(), watch.see_to_next()] == [True, False]
    [left] = watch.left()
    assert "2024-01 comes before 2024-02" in left
    assert inbox.amounts() == ["200"]
    inbox.put("2024-03", 300)
    assert watch.see_to_next() is True
    assert inbox.amounts() == ["200", "300"]
    inbox.put("2024-02", 250)  # written anew
    inbox.data.joinpath("deals-2024-01.csv").unlink()
    with pytest.raises(DataUnusable, match="2024-02 comes before 2024-03"):
        drain(inbox.watch(stops=True))
    assert inbox.amounts() == ["200", "300"]


def test_a_late_export_is_refused_though_its_changes_are_dated(inbox: Inbox) -> None:
    """What the later one brought first is dated when it began: the earlier one would seem to change it."""
    inbox.write(changed=CHANGED)
    inbox.put("2024-02", 200, "2024-02-10")
    drain(inbox.watch())
    inbox.put("2024-01", 100)
    watch = inbox.watch()
    drain(watch)
    assert "2024-01 comes before 2024-02" in watch.left()[0]
    assert inbox.amounts() == ["200"]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ('if_changed = "opportunity.change_amount"', True),
        ('if_new = "opportunity.open"\nvanished = { command = "opportunity.lose", reason = "other" }', True),
        ('if_new = "opportunity.open"\nvanished = "report"', False),
        ("", False),
    ],
)
def test_which_mappings_could_take_the_ledger_back(inbox: Inbox, head: str, *, expected: bool) -> None:
    step = OPEN.replace('if_new = "opportunity.open"\nif_changed = "opportunity.change_amount"\n{more}', head)
    step = step.replace('rows = "deals"\n\n', 'rows = "deals"\ncommand = "opportunity.open"\n\n').replace("{changed}", "")
    if "if_changed" in head:
        step = step.replace("if_changed", 'if_new = "opportunity.open"\nif_changed')
    folder = write_mapping(inbox.root / "other", MAPPING, steps_2_open=step)
    read, mistakes = read_folder(folder)
    assert not mistakes
    assert read is not None
    assert takes_back(read) is expected


def test_exports_whose_names_do_not_sort_are_refused(inbox: Inbox) -> None:
    inbox.put("9", 100)
    drain(inbox.watch())
    inbox.put("10", 200)
    watch = inbox.watch()
    drain(watch)
    assert "10 comes before 9" in watch.left()[0]
    assert inbox.amounts() == ["100"]


def test_an_imported_export_of_which_a_file_is_taken_away_holds_nobody_up(inbox: Inbox) -> None:
    inbox.write(mapping=MAPPING + '\n[sources.people]\npath = "people-*.csv"\n')
    for key in ("2024-01", "2024-02"):
        inbox.put(key, 100 if key == "2024-01" else 200)
        (inbox.data / f"people-{key}.csv").write_text("name\nAda\n", encoding="utf-8")
    watch = inbox.watch()
    assert watch.see_to_next() is True
    (inbox.data / "people-2024-01.csv").unlink()
    assert watch.see_to_next() is True
    assert inbox.amounts() == ["100", "200"]
    (inbox.data / "people-2024-02.csv").unlink()
    inbox.put("2024-03", 300)
    assert watch.see_to_next() is None
    assert watch.left() == ["2024-03 waits for people-*.csv"]


def drain(watch: FolderWatch) -> None:
    while watch.see_to_next():
        pass
