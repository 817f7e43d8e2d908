"""Output to terminals with limited encodings: no error, and unsupported characters are escaped."""

import codecs
import sys
from io import TextIOBase, TextIOWrapper
from typing import TextIO, cast

from ltc_events.kernel.output_escaping import document_text

PLAIN, ESCAPED = "ltc-plain", "ltc-escaped"
_IN_PLACE = str.maketrans({
    "–": "-", "—": "-", "−": "-", "×": "x", "’": "'", "“": '"', "”": '"', "…": "...", "✗": "x", "✓": "v", "→": "->",
    "≥": ">=", "≤": "<=", "·": ".", "•": "*", "│": "|", "─": "-", "└": "`", "├": "+", "┃": "|", "━": "-", "\u00a0": " ",
})  # fmt: skip


def prepare_streams() -> None:
    """Make stdout and stderr accept any text, also in encodings that are not Unicode."""
    codecs.register_error(PLAIN, _plainly)
    codecs.register_error(ESCAPED, _escaped)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            stream.reconfigure(errors=PLAIN)


def for_programs() -> TextIO:
    """stdout for JSON documents: unsupported characters are escaped as in JSON, without substitution.

    On a terminal nobody but the reader takes it, and what would give orders to that is escaped as well; in a pipe or a file every
    character is there as it is.
    """
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == PLAIN:
        sys.stdout.reconfigure(errors=ESCAPED)
    return cast(TextIO, _Harmless(sys.stdout)) if sys.stdout.isatty() else sys.stdout


class _Harmless(TextIOBase):
    """Writes to a terminal without what would give orders to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(document_text(text))
        return len(text)

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return True


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
