"""Raw rows of a file or table: the line of each, its cells, or the reason why it is unusable."""

import codecs
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple


class Problem(NamedTuple):
    """The reason why a row is unusable."""

    code: str
    reason: str
    fix: str


class RawRow(NamedTuple):
    """One row: the line in which it begins (from 1; of a table, its number), its cells (None: empty), or its problem."""

    line: int
    cells: Sequence[str | None]
    problem: Problem | None = None


class Reader(NamedTuple):
    """One file or table: what it is called, its columns, and its rows, which can be gone through once."""

    name: str
    columns: list[str]
    rows: Iterator[RawRow]


def decoded(file: IO[bytes], encoding: str) -> Iterator[tuple[str, Problem | None]]:
    """The lines of a file as texts. In encodings of wide characters a line feed is not one byte: there an error ends the file."""
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32")):
        decoder = codecs.getreader(encoding)(file)
        for text in iter(decoder.readline, ""):
            yield text, nul(text)
        return
    for number, raw in enumerate(file):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            bad = error.object[error.start : error.end].hex()
            fix = "name the file's encoding in the mapping, or correct it"
            yield raw.decode(encoding, "replace"), Problem("not_decodable", f"bytes {bad} are no {error.encoding}", fix)
            continue
        if not number:
            text = text.removeprefix("\ufeff")
        yield text, nul(text)


def nul(text: str) -> Problem | None:
    if "\0" not in text:
        return None
    return Problem("nul_character", "the row has a NUL character", "remove it; a file full of them is UTF-16: say so as encoding")


def wrong_width(found: int, width: int) -> Problem:
    fix = "correct the row, where a separator is missing or unquoted; or set short_rows or long_rows in the mapping"
    return Problem("wrong_width", f"the row has {found} fields where the header has {width}", fix)


def column_names(header: Sequence[str]) -> list[str]:
    """Headings as they are; one without a name is called by its place, one that stands twice gets a number."""
    names: list[str] = []
    seen: set[str] = set()
    for place, heading in enumerate(header, 1):
        name = heading.strip() or f"column_{place}"
        unique, count = name, 1
        while unique.lower() in seen or unique.lower().startswith("_re") or unique.lower() == "_row":
            count += 1
            unique = f"{name}_{count}" if unique.lower() in seen else f"column_{place}"
        seen.add(unique.lower())
        names.append(unique)
    return names
