"""Mappings for what other products export, shipped with the package: listed, and copied to be edited."""

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.mapping import MAPPING_FILE, nearest
from ltc_events.importing.scaffold.mapping_text import write_texts

_HOME = Path(__file__).parent
_FIRST_SENTENCE = re.compile(r"^(.*?\.)(?:\s|$)", re.DOTALL)


class ReadyMade(NamedTuple):
    """One mapping: its name, what it is for, and by source the pattern of the file's name."""

    name: str
    meaning: str
    files: dict[str, str]

    @property
    def texts(self) -> dict[str, str]:
        """Its files by path within its folder."""
        folder = _HOME / self.name
        paths = [folder / MAPPING_FILE, *sorted(folder.glob("*/*.sql"))]
        return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths}

    def missing(self, data: Path) -> list[str]:
        """The patterns that no file of the folder `data` has the name of."""
        return [pattern for pattern in self.files.values() if not any(one.is_file() for one in data.glob(pattern))]

    def write(self, folder: Path) -> None:
        """Copy it. Raises DataUnusable where something is there already, or nothing can be written."""
        write_texts(folder, self.texts)


def ready_made() -> list[ReadyMade]:
    """All mappings that the package has, by name."""
    return [_read(path.parent) for path in sorted(_HOME.glob(f"*/{MAPPING_FILE}"))]


def find_ready_made(name: str) -> ReadyMade:
    """The mapping of this name. Raises DataUnusable."""
    found = {one.name: one for one in ready_made()}
    if name not in found:
        raise DataUnusable(file=name[:60], problem="there is no ready-made mapping of this name", fix=nearest(name, list(found)))
    return found[name]


def _read(folder: Path) -> ReadyMade:
    text = (folder / MAPPING_FILE).read_text(encoding="utf-8")
    comment = " ".join(line.removeprefix("#").strip() for line in text.partition("\n\n")[0].splitlines())
    sentence = _FIRST_SENTENCE.match(comment)
    sources = tomllib.loads(text)["sources"]
    return ReadyMade(folder.name, sentence[1] if sentence else comment, {name: one["path"] for name, one in sources.items()})
