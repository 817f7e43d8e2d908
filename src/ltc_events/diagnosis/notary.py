"""Checks of the notary: its key, its alarm, and its lag."""

from collections.abc import Iterator
from pathlib import Path

from ltc_events.audit.errors import HistoryChanged
from ltc_events.audit.keys import EVENTS, is_private, read_keys
from ltc_events.audit.memory import NotaryMemory, memory_beside
from ltc_events.diagnosis.check import Check
from ltc_events.kernel.errors import LtcError
from ltc_events.store import Database
from ltc_events.store.transparency import TransparencyStore


def examine_notary(database: Database, key_file: Path) -> Iterator[Check]:
    """Check that only its owner may read the key, and how far the log is signed; without a key it says that nothing is."""
    try:
        with TransparencyStore(database) as store:
            if not key_file.exists():
                unknown = store.logs()
                detail = f"no key in {key_file}: " + ("what is signed is signed elsewhere" if unknown else "nothing is signed")
                yield Check("notary", True, detail)
                return
            keys = read_keys(key_file)
            last = store.last(keys.origin(EVENTS))
    except LtcError as error:
        # A login of another group is not asked for this one, and who has no ledger has heard so already.
        yield Check("notary", True, f"not looked at: {error.message}")
        return
    private = is_private(key_file)
    yield Check("notary key", private, f"{keys.name} in {key_file}", f"chmod 600 {key_file}: others may read it")
    alarm = NotaryMemory(memory_beside(key_file)).alarm
    signed = "nothing is signed yet" if last is None else f"{last.size} events, {last.signed_at:%Y-%m-%d %H:%M} UTC"
    detail = f"position {alarm['index'] + 1} is not what was signed" if alarm else signed
    yield Check("notary", alarm is None, detail, HistoryChanged.remedy)
