"""Make the golden store of a new release: `python -m tests.golden.make v0.2`.

Or note what read tables that are new, or have a new version, hold of the golden stores there are:
`python -m tests.golden.make --tables`. What was noted once is never written over.
"""

import argparse
import sys
from collections import defaultdict
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from tests.golden import store as golden
from tests.golden.rare import rare_events
from tests.integration.books import Books
from tests.new_ledgers import new_ledgers

from ltc_events.bootstrap.services import open_pipeline
from ltc_events.cli.schema import GOLDEN_COMMANDS
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.compatibility import COMMANDS
from ltc_events.schemas.export import exported
from ltc_events.schemas.registry import COMPANY_NOUNS, EVENTS
from ltc_events.simulation import simulate
from ltc_events.store import Database, EventStore, Role

SEED, CUSTOMERS, DAYS = 7, 60, 365
# A customer of whom more is told is left out: what only he has is made by hand, in `rare`.
CUSTOMER_EVENTS_MAX = 140
BATCH = 500
Commands = list[dict[str, Any]]


def main() -> None:
    """Make a golden store, or note what tables hold of those there are."""
    parser = argparse.ArgumentParser(prog="python -m tests.golden.make", description=__doc__)
    parser.add_argument("release", nargs="?", help="name of the release, for example v0.2")
    parser.add_argument("--tables", action="store_true", help="note what tables hold that are new or have a new version")
    parser.add_argument("--again", action="store_true", help="in place of the one there is, of a release that is not out yet")
    options = parser.parse_args()
    if bool(options.release) == options.tables:
        parser.error("give a release, or --tables")
    with new_ledgers() as new_database:
        if options.tables:
            for release in golden.RELEASES:
                _note(new_database, golden.ROOT / release)
        else:
            _make(new_database, golden.ROOT / options.release, again=options.again)


def _make(new_database: Any, folder: Path, *, again: bool) -> None:
    if folder.exists() and not again:
        sys.exit(f"{folder} is there; what a release has written stays")
    database = new_database()
    _write(database, _few_commands(new_database()))
    with EventStore(database, Role.WRITER) as store:
        books = Books(database, store)
        rare_events(books)
        books.close()
        missing = set(EVENTS) - {one.type for one in store.read_raw(0, store.head()[0])}
    if missing:
        sys.exit(f"no event of the type {', '.join(sorted(missing))}: tests/golden/rare.py should make one")
    folder.mkdir(exist_ok=True)
    golden.dump(database, folder)
    golden.catch_up(database)
    _save(folder / golden.TABLES, golden.table_digests(database))
    _save(folder / golden.STORIES, golden.stories(database))
    _save(folder / GOLDEN_COMMANDS, {file: schema for file, schema in exported().items() if file.startswith(COMMANDS)})
    print(f"{len(golden.events_of(folder.name))} events in {folder}")


def _note(new_database: Any, folder: Path) -> None:
    database = new_database()
    golden.load(database, golden.events_of(folder.name))
    golden.catch_up(database)
    known = golden.expected(folder.name, golden.TABLES)
    for table, versions in golden.table_digests(database).items():
        for version, seen in versions.items():
            if version not in known.setdefault(table, {}):
                known[table][version] = seen
                print(f"{folder.name}: {table} v{version}")
    _save(folder / golden.TABLES, known)


def _few_commands(scratch: Database) -> Commands:
    """Commands of a simulated company and of a few of its customers, chosen so that few events show many types."""
    commands = list(map(orjson.loads, simulate(SEED, CUSTOMERS, DAYS)))
    _write(scratch, commands)
    types: dict[str, set[str]] = defaultdict(set)
    sizes: dict[str, int] = defaultdict(int)
    with EventStore(scratch, Role.PROJECTOR) as store:
        for one in store.read_raw(0, store.head()[0]):
            if one.customer_id is not None:
                types[str(one.customer_id)].add(one.type)
                sizes[str(one.customer_id)] += 1
    small = {customer for customer, size in sizes.items() if size <= CUSTOMER_EVENTS_MAX}
    shown: set[str] = set()
    chosen: set[str] = set()
    while left := {customer for customer in small if types[customer] - shown}:
        best = max(sorted(left), key=lambda customer: len(types[customer] - shown) / (20 + sizes[customer]))
        chosen.add(best)
        shown |= types[best]
    theirs = [one for one in commands if one["partitionkey"] in chosen]
    campaigns = {one["data"].get("campaign_id") for one in theirs}
    return [one for one in commands if one["partitionkey"] in chosen or _of_company(one, campaigns)]


def _of_company(command: dict[str, Any], campaigns: set[str]) -> bool:
    noun = command["type"].removeprefix(WIRE_PREFIX).partition(".")[0]
    return noun in COMPANY_NOUNS and (noun != "campaign" or command["subject"] in campaigns)


def _write(database: Database, commands: Commands) -> None:
    with open_pipeline(database) as pipeline:
        waiting = iter(commands)
        while batch := list(islice(waiting, BATCH)):
            pipeline.submit(batch)


def _save(path: Path, content: Any) -> None:
    options = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    path.write_bytes(orjson.dumps(content, option=options))


if __name__ == "__main__":
    main()
