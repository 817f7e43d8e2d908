"""The notary's own state, in a file beside its key and outside the database: last checkpoints, sizes of rolls, and its alarm.

It detects a database that was replaced by an older one, or whose logs were rebuilt.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from ltc_events.audit.errors import NotaryKeyUnreadable

ROLLS_MAX = 10_000
"""Rolls whose sizes are remembered: those of a day at least, where one is made every ten seconds."""


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

    def roll_sizes(self, origin: str) -> dict[int, int]:
        """The sizes of the log of events at the last rolls, by their index: what makes a roll the same again."""
        known = self._known.get("rolls", {}).get(origin, {"first": 0, "sizes": []})
        return dict(enumerate(known["sizes"], known["first"]))

    def remember_rolls(self, note: bytes, origin: str, sizes: dict[int, int]) -> None:
        """Record the checkpoint of a log of rolls, with the sizes of its last rolls."""
        known = {index: size for index, size in self.roll_sizes(origin).items() if index < min(sizes)}
        if max(known, default=-1) != min(sizes) - 1:
            known = {}  # another copy of this file remembered what was between
        known |= sizes
        indices = sorted(known)[-ROLLS_MAX:]
        kept = {"first": indices[0], "sizes": [known[index] for index in indices]}
        self._known["rolls"] = self._known.get("rolls", {}) | {origin: kept}
        self.remember({origin: note})

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
