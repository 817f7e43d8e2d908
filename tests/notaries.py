"""A notary for tests: its key, what it signs, and a superuser who changes what was signed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg

from ltc_events.audit.findings import Finding, Verdict
from ltc_events.audit.keys import LOGS, make_key, read_keys
from ltc_events.audit.memory import NotaryMemory, memory_beside
from ltc_events.audit.notary import open_notary
from ltc_events.audit.verification import verify_logs
from ltc_events.store import Database, EventStore, Role
from ltc_events.store.transparency import TransparencyStore

NAME = "ledger.example/main"


def key_in(folder: Path) -> Path:
    """The file with a notary's key."""
    file = folder / "notary.key"
    if not file.exists():
        make_key(file, NAME)
    return file


def sign(database: Database, key: Path) -> bytes:
    """Let a notary sign everything; the checkpoint of the events."""
    with open_notary(database, key) as notary:
        assert notary.begin()
        notary.sign_all()
    return note(database)


def note(database: Database, log: str = "events") -> bytes:
    """The last checkpoint of a log."""
    with TransparencyStore(database) as store:
        last = store.last(f"{NAME}/{log}")
    assert last is not None
    return last.note


def verify(database: Database, key: Path, *others: bytes, with_memory: bool = False) -> Verdict:
    """What a verification finds; without what the notary knows of its own, unless it is asked for."""
    keys = read_keys(key)
    verifiers = {log: (keys.origin(log), keys.verifiers(log)) for log in LOGS}
    kept = [(one.split(b"\n")[0].decode(), one) for one in others]
    if with_memory:
        memory = NotaryMemory(memory_beside(key))
        kept += [(origin, known) for origin, _ in verifiers.values() if (known := memory.note(origin)) is not None]
    with EventStore(database, Role.NOTARY) as events, TransparencyStore(database) as store:
        return verify_logs(events, store, verifiers, kept)


def told(findings: Sequence[Finding]) -> list[str]:
    """What was found, as it is told."""
    return [str(one) for one in findings]


@contextmanager
def superuser(database: Database) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """One who switches every guard off, and on again."""
    tables = (
        "events", "outcomes", "head", "tlog_hashes", "tlog_checkpoints", "tlog_signatures", "tlog_refusals", "tlog_rolls",
    )  # fmt: skip
    with database.connect(Role.OWNER, autocommit=True) as connection:
        for table in tables:
            connection.execute(f"ALTER TABLE ltc.{table} DISABLE TRIGGER ALL".encode())
        yield connection
        for table in tables:
            connection.execute(f"ALTER TABLE ltc.{table} ENABLE TRIGGER ALL".encode())
