"""The notary's own state, in a file beside its key and outside the database: the last checkpoints signed, and its alarm.

It detects a database that was replaced by an older one, or whose logs were rebuilt.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from ltc_events.audit.errors import NotaryKeyUnreadable


class NotaryMemory:
    """The state as a small JSON file, replaced atomically. It holds no secret."""

    def __init__(self, file: Path) -> None:
        """Raises NotaryKeyUnreadable where the file cannot be read."""
        self._file = file
        self._known: dict[str, Any] = {"checkpoints": {}, "alarm": None}
        with suppress(FileNotFoundError):
            try:
                self._known |= orjson.loads(file.read_bytes())
            except (OSError, orjson.JSONDecodeError) as error:
                if isinstance(error, FileNotFoundError):
                    raise
                raise NotaryKeyUnreadable(file=file, reason=error) from None

    def note(self, origin: str) -> bytes | None:
        """The last checkpoint of a log that this notary signed."""
        kept = self._known["checkpoints"].get(origin)
        return None if kept is None else str(kept).encode()

    @property
    def alarm(self) -> dict[str, Any] | None:
        """The changed leaf of the alarm: the log, and the index."""
        return self._known["alarm"]  # type: ignore[no-any-return]

    def remember(self, notes: dict[str, bytes]) -> None:
        """Record signed checkpoints."""
        self._known["checkpoints"] |= {origin: note.decode() for origin, note in notes.items()}
        self._write()

    def give_alarm(self, origin: str, index: int) -> None:
        """Record the alarm that a leaf differs from what was signed."""
        self._known["alarm"] = {"log": origin, "index": index}
        self._write()

    def end_alarm(self) -> None:
        """Clear the alarm."""
        self._known["alarm"] = None
        self._write()

    def _write(self) -> None:
        part = self._file.with_name(f".{self._file.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as opened:
                opened.write(orjson.dumps(self._known, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
                opened.flush()
                os.fsync(opened.fileno())
            part.replace(self._file)
        except OSError as error:
            raise NotaryKeyUnreadable(file=self._file, reason=error.strerror) from None


def memory_beside(key_file: Path) -> Path:
    """The path of the state file for a key file."""
    return key_file.with_name(f"{key_file.name}.last")
