"""Escapes untrusted text for output, so that it is neither a control sequence to a terminal nor a formula to a spreadsheet."""

import re
from typing import Any

# Escape codes begin with a control character of C0 or C1; what turns the direction of writing shows other words than are there.
_ORDERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_FORMULA_STARTS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def terminal_text(text: str) -> str:
    """The text with control characters (except tab and line feed) and bidirectional controls escaped: `\\x1b`."""
    return text if text.isprintable() else _ORDERS.sub(_written_out, text)


def document_text(text: str) -> str:
    """The same for a part of a document, as JSON writes it, `\\u001b`: a JSON document still says what it said."""
    return text if text.isprintable() else _ORDERS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def csv_cell(value: Any) -> Any:
    """The value for a CSV cell: text that a spreadsheet would evaluate as a formula gets an apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value[:1] in _FORMULA_STARTS and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def _written_out(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
