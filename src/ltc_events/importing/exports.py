"""Dated exports: the files of a folder that come under a pattern, each with those of the same date of other patterns."""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.mapping import MappingFile

_PIECE = 1 << 20
_DAY_FIRST = re.compile(r"(?<![0-9])[0-9]{1,2}[-._/ ][0-9]{1,2}[-._/ ][0-9]{4}(?![0-9])")
_PARTS = re.compile(r"([^0-9]*)([0-9]{0,4000})")


class Export(NamedTuple):
    """What was exported at once: the file of each source, by what stands for the `*` of its pattern (a date, as a rule).

    `missing`: patterns under which no file of this key has come yet.
    """

    key: str
    files: Mapping[str, Path]
    missing: Sequence[str] = ()


class Fingerprint(NamedTuple):
    """What changes when a file is written."""

    size: int
    modified_ns: int


def exports(mapping: MappingFile, folder: Path) -> list[Export]:
    """The exports in a folder, in the order of their keys; hidden files are none. Raises DataUnusable without a pattern."""
    patterns = {name: one.path for name, one in mapping.sources.items() if one.path is not None and "*" in one.path}
    if not patterns or any("**" in path for path in patterns.values()):
        problem = "no source is a folder of dated exports" if not patterns else "** stands for folders of any depth"
        raise DataUnusable(file="mapping.toml", problem=problem, fix='give a source a path with one *: path = "orders-*.csv"')
    found: dict[str, dict[str, Path]] = {}
    for name, pattern in patterns.items():
        key_of = re.compile(re.escape(pattern).replace(r"\*", "([^/]*)"))
        for path in folder.glob(pattern):
            match = key_of.fullmatch(path.relative_to(folder).as_posix())
            if match is not None and not path.name.startswith(".") and path.is_file():
                key = " ".join(match.groups()).encode("utf-8", "backslashreplace").decode()  # names of files may be any bytes
                found.setdefault(key, {})[name] = path
    return [
        Export(key, files, [pattern for name, pattern in patterns.items() if name not in files])
        for key, files in sorted(found.items())
    ]


def unsorted(keys: Sequence[str]) -> str | None:
    """What says that keys in the order of their texts are not in the order of their numbers or dates; None where nothing does."""
    for key in keys:
        if _DAY_FIRST.search(key):
            return f"{key} does not begin with its year: such dates do not sort"
    texts, numbers = sorted(keys), sorted(keys, key=_numbers)
    return next((f"{one} comes before {other}" for one, other in zip(texts, numbers, strict=True) if one != other), None)


def _numbers(key: str) -> list[tuple[str, int, str]]:
    """What sorts by the numbers in a key, and by what stands between them."""
    return [(before, int(digits or -1), digits) for before, digits in _PARTS.findall(key)]


class Settling:
    """Tells which files have stopped changing: size and time of change are the same for `seconds`, as seen from here."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._now = now
        self._seen: dict[Path, tuple[Fingerprint, float]] = {}

    def is_settled(self, path: Path) -> bool:
        """Whether a file has stopped changing; one that is gone has not."""
        found, now = fingerprint(path), self._now()
        if found is None:
            self._seen.pop(path, None)
            return False
        before, since = self._seen.setdefault(path, (found, now))
        if before != found:
            self._seen[path] = found, now
            return self._seconds == 0
        return now - since >= self._seconds


class Digests:
    """What is in files: read once, and again when they have changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Fingerprint, str]] = {}

    def of(self, export: Export) -> str:
        """The digest of an export's files. Raises OSError."""
        digest = hashlib.sha256()
        for name, path in sorted(export.files.items()):
            digest.update(f"{name}\0{self._of_file(path)}\0".encode())
        return digest.hexdigest()[:32]

    def _of_file(self, path: Path) -> str:
        found = fingerprint(path)
        known = self._known.get(path)
        if known is not None and known[0] == found:
            return known[1]
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        if found is not None:
            self._known[path] = found, digest.hexdigest()
        return digest.hexdigest()


def fingerprint(path: Path) -> Fingerprint | None:
    """What changes when a file is written; None where it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return Fingerprint(found.st_size, found.st_mtime_ns)
