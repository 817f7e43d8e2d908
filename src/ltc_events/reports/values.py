"""The values of a report as JSON: amounts and other decimals as strings with every digit, dates in ISO 8601."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson

from ltc_events.kernel.money import minor_unit
from ltc_events.kernel.time_zones import utc_text
from ltc_events.reports.base import Column, ColumnType


class RawJson(str):
    """A JSON value as PostgreSQL writes it, passed through without parsing."""

    __slots__ = ()


def json_rows(columns: Sequence[Column], rows: Iterable[tuple[Any, ...]]) -> Iterator[list[Any]]:
    """The rows as JSON values."""
    places = {column.name: place for place, column in enumerate(columns)}
    plain = [_PLAIN[column.type] for column in columns]
    amounts = [(place, places[one.currency]) for place, one in enumerate(columns) if one.type is ColumnType.MONEY]
    for row in rows:
        values = [
            value if value is None or convert is None else convert(value) for convert, value in zip(plain, row, strict=True)
        ]
        for place, currency in amounts:
            if row[place] is not None:
                values[place] = amount_text(row[place], row[currency])
        yield values


def json_value(value: Any) -> Any:
    """One value other than money, which needs its currency."""
    match value:
        case Decimal():
            return number_text(value)
        case datetime():
            return utc_text(value)
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case RawJson():
            return orjson.Fragment(str(value))
        case _:
            return value


def json_text(value: Any) -> str:
    """A JSON value, raw or parsed, as text."""
    return str(value) if isinstance(value, RawJson) else orjson.dumps(value).decode()


def amount_text(amount: Decimal, currency: str | None) -> str:
    """An amount with at least the digits of the currency's minor unit, and no trailing zeros beyond: `1234.50`, `0.125`, `7`."""
    digits = -int(minor_unit(currency or "").as_tuple().exponent)
    whole, _, fraction = f"{amount:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def number_text(number: Decimal) -> str:
    """A number without trailing zeros: `12.5`, `100`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# What makes a value of a column plain; None: it is. Amounts need their currency beside.
_PLAIN: dict[ColumnType, Callable[[Any], Any] | None] = {
    ColumnType.TEXT: None,
    ColumnType.INTEGER: None,
    ColumnType.BOOLEAN: None,
    ColumnType.MONEY: None,
    ColumnType.UUID: str,
    ColumnType.DATE: date.isoformat,
    ColumnType.TIME: json_value,
    ColumnType.DECIMAL: number_text,
    ColumnType.PERCENT: number_text,
    ColumnType.JSON: json_value,
}
