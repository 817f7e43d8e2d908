"""Numbers as other systems write them, read exactly or not at all."""

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Context, Decimal, Inexact, InvalidOperation

from ltc_events.importing.errors import BadValue

EXACT = Context(prec=60, traps=[InvalidOperation, Inexact])
"""Arithmetic that raises before it would round."""
DIGITS_MAX = 24
_EXAMPLE = re.compile(r"1(?P<group>\D?)234(?:(?P<decimal>\D)(?P<places>56))?")
_MINUS = "-\u2212"


class NumberFormat:
    """One way to write numbers, given by what 1234.56 looks like in it: `1,234.56`, `1.234,56`, `1 234,56`, `1234.56`, `1,234`.

    Groups must have three digits. Raises ValueError for an example that is none.
    """

    def __init__(self, example: str) -> None:
        match = _EXAMPLE.fullmatch(example)
        if match is None or match["group"] == match["decimal"] != "":
            raise ValueError(f"{example!r} does not say how 1234.56 is written")
        self.example = example
        self._group = match["group"]
        self._decimal = match["decimal"] or ""
        group, decimal = re.escape(self._group), re.escape(self._decimal)
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if group else r"\d+"
        fraction = rf"(?:{decimal}(?P<fraction>\d+))?" if decimal else "(?P<fraction>)"
        self._match = re.compile(rf"(?P<whole>{whole}){fraction}", re.ASCII).fullmatch

    def read(self, digits: str) -> Decimal | None:
        """The number that unsigned `digits` are in this format, or None."""
        match = self._match(digits)
        if match is None:
            return None
        whole = match["whole"].replace(self._group, "") if self._group else match["whole"]
        fraction = match["fraction"]
        return Decimal(f"{whole}.{fraction}" if fraction else whole)


def number_parser(
    examples: Sequence[str], *, strip: Sequence[str] = (), suffixes: Mapping[str, Decimal] | None = None
) -> Callable[[str], Decimal]:
    """A reader of numbers in any of these formats; raises BadValue for what none reads, or two read differently.

    `strip` are marks such as `$` that may stand before or behind the digits; `suffixes` multiply, e.g. `{"K": 1000}`. A minus
    stands before, behind the number, or as parentheses around it.
    """
    formats = [NumberFormat(example) for example in examples]
    marks = tuple(sorted(strip, key=len, reverse=True))
    factors = dict(sorted((suffixes or {}).items(), key=lambda pair: -len(pair[0])))
    shown = " or ".join(examples)

    def parse(text: str) -> Decimal:
        negative, digits, factor = _bare(text, marks, factors)
        readings = {number for one in formats if (number := one.read(digits)) is not None}
        if len(readings) != 1:
            raise _unreadable(text, readings, shown, marks)
        number = readings.pop()
        if len(number.as_tuple().digits) > DIGITS_MAX:
            raise BadValue("number_too_long", f"{text!r} has more than {DIGITS_MAX} digits", "correct the number in the file")
        if factor is not None:
            number = EXACT.multiply(number, factor)
        return -number if negative else number

    return parse


def _bare(text: str, marks: tuple[str, ...], factors: Mapping[str, Decimal]) -> tuple[bool, str, Decimal | None]:
    """The digits without sign, marks and factor."""
    negative = False
    if text.startswith("(") and text.endswith(")"):
        negative, text = True, text[1:-1].strip()
    sign_seen = negative
    factor = None
    changed = True
    while changed and text:
        changed = False
        if not sign_seen and (text[0] in _MINUS or text[-1] in _MINUS or text[0] == "+"):
            negative = text[0] != "+"
            text = text[1:] if text[0] in _MINUS + "+" else text[:-1]
            sign_seen = changed = True
        for mark in marks:
            if text.startswith(mark) or text.endswith(mark):
                text = text.removeprefix(mark) if text.startswith(mark) else text.removesuffix(mark)
                changed = True
                break
        if factor is None:
            for suffix, times in factors.items():
                if text.endswith(suffix):
                    text, factor, changed = text.removesuffix(suffix), times, True
                    break
        text = text.strip()
    return negative, text, factor


def _unreadable(text: str, readings: set[Decimal], shown: str, marks: tuple[str, ...]) -> BadValue:
    if readings:
        both = " and as ".join(str(one) for one in sorted(readings))
        return BadValue(
            "ambiguous_number",
            f"{text!r} can be read as {both}",
            "leave one number format in the mapping's column, or correct the file",
        )
    allowed = f", with {' '.join(marks)} before or behind it" if marks else ""
    return BadValue(
        "not_a_number", f"{text!r} is not a number", f"write it like {shown}{allowed}, or add its format to the mapping"
    )
