"""A golden store: a log as one release wrote it, byte for byte, and what was seen in it then.

`events.jsonl` has a line per event, its `data` as the stored text. `tables.json` has a digest per read table and version, and
`stories.json` the figures that the story of each invoice tells, each with the position of its event.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson

from ltc_events.explanation.invoice import explain_invoice
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.proving.digest import digest
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, EventStore, Role

ROOT = Path(__file__).parent
RELEASES = sorted(folder.name for folder in ROOT.glob("v*"))
EVENTS, TABLES, STORIES = "events.jsonl", "tables.json", "stories.json"
_COLUMNS = (
    "position",
    "recorded_at",
    "occurred_at",
    "version",
    "effective_on",
    "stream_id",
    "customer_id",
    "command_id",
    "correlation_id",
    "causation_id",
    "type",
    "actor",
    "data",
)
_LIST = ", ".join(_COLUMNS)
Json = dict[str, Any]


def events_of(release: str) -> list[Json]:
    """The log of a release, line by line."""
    with (ROOT / release / EVENTS).open("rb") as lines:
        return [orjson.loads(line) for line in lines]


def expected(release: str, file: str) -> Any:
    """What the release saw in it."""
    return orjson.loads((ROOT / release / file).read_bytes())


def dump(database: Database, folder: Path) -> None:
    """Write down a database's log."""
    with database.connect(Role.PROJECTOR) as connection, (folder / EVENTS).open("wb") as file:
        connection.execute("SET TIME ZONE 'UTC'")
        for row in connection.execute(f"SELECT {_LIST} FROM ltc.events ORDER BY position"):
            line = {**dict(zip(_COLUMNS, row, strict=True)), "data": row[-1].decode()}
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z))


def load(
    database: Database,
    events: list[Json],
    *,
    upto: int | None = None,
    stored: Callable[[str, str], tuple[str, str]] | None = None,
) -> None:
    """Put a log into an empty ledger, up to a position; `stored` says under which type and with which data instead."""
    rows = []
    for event in events[:upto]:
        type, data = stored(event["type"], event["data"]) if stored else (event["type"], event["data"])
        row = {**event, "type": type, "data": data.encode()}
        rows.append([row[name] for name in _COLUMNS])
    insert = f"INSERT INTO ltc.events ({_LIST}) VALUES ({', '.join(['%s'] * len(_COLUMNS))})"
    with database.connect(Role.OWNER) as connection, connection.cursor() as cursor:
        for row in rows:
            cursor.execute("UPDATE ltc.head SET position = %s, recorded_at = %s", (row[0], row[1]))
            cursor.execute(insert, row)


def catch_up(database: Database) -> None:
    """Bring all read tables of this program up to the log."""
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()


def table_digests(database: Database) -> dict[str, dict[str, Json]]:
    """By table and version: how many rows, and the digest."""
    found = [digest(database, projection) for projection in PROJECTIONS]
    return {one.name: {str(one.build.version): {"rows": one.rows, "sha256": one.sha256}} for one in found}


def stories(database: Database) -> dict[str, Json]:
    """By invoice: its balance in the end, and the figures that its story tells, each as position, amount and currency."""
    with EventStore(database, Role.PROJECTOR) as store:
        position = store.head()[0]
        told = (explain_invoice(store, number, date(2099, 12, 31), position) for number in _invoices(database))
        found = {}
        for story in told:
            assert not story.broken, story.number
            figures = [
                [node.record.position, str(node.amount), node.currency]
                for node in story.root.walk()
                if node.record is not None and node.amount is not None
            ]
            found[story.number] = {"balance": str(story.balance), "currency": story.currency, "figures": sorted(figures)}
        return found


def lost(old: Json, new: Json) -> list[Any]:
    """What one story told and another of the same invoice does not; more may be told."""
    if (Decimal(old["balance"]), old["currency"]) != (Decimal(new["balance"]), new["currency"]):
        return [old["balance"], new["balance"]]
    return list((_counted(old) - _counted(new)).elements())


def _counted(story: Json) -> Counter[tuple[int, Decimal, str]]:
    return Counter((position, Decimal(amount), currency) for position, amount, currency in story["figures"])


def _invoices(database: Database) -> Iterator[str]:
    with database.connect(Role.READER) as reader:
        yield from (number for (number,) in reader.execute("SELECT number FROM ltc_read.invoices ORDER BY number").fetchall())
