"""Terminals that know fewer characters than we use: nothing breaks, and nothing is lost without a trace."""

import codecs
import sys
from io import TextIOWrapper
from typing import TextIO

PLAIN, ESCAPED = "ltc-plain", "ltc-escaped"
_IN_PLACE = str.maketrans({
    "–": "-", "—": "-", "−": "-", "×": "x", "’": "'", "“": '"', "”": '"', "…": "...", "✗": "x", "✓": "v", "→": "->",
    "≥": ">=", "≤": "<=", "·": ".", "•": "*", "│": "|", "─": "-", "└": "`", "├": "+", "┃": "|", "━": "-", "\u00a0": " ",
})  # fmt: skip


def prepare_streams() -> None:
    """Let stdout and stderr take whatever is written to them, also where their encoding is not Unicode's."""
    codecs.register_error(PLAIN, _plainly)
    codecs.register_error(ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors=PLAIN)


def for_programs() -> TextIO:
    """stdout, for a document: what its encoding lacks is escaped as JSON does, and nothing stands in its place."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == PLAIN:
        sys.stdout.reconfigure(errors=ESCAPED)
    return sys.stdout


def _plainly(error: UnicodeError) -> tuple[str, int]:
    lacking, end = _lacking(error)
    return "".join(one if one.isascii() else _escape(one) for one in lacking.translate(_IN_PLACE)), end


def _escaped(error: UnicodeError) -> tuple[str, int]:
    lacking, end = _lacking(error)
    return _escape(lacking), end


def _lacking(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return error.object[error.start : error.end], error.end


def _escape(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
