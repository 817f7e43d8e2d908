"""The values of a report as JSON has them: amounts and other decimals as strings that keep every digit, dates in ISO 8601."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from ltc_events.kernel.money import minor_unit
from ltc_events.reports.base import ColumnType
from ltc_events.reports.runner import Result


def json_rows(result: Result) -> Iterator[list[Any]]:
    """The rows as JSON values."""
    places = {column.name: place for place, column in enumerate(result.columns)}
    amounts = [(place, places[one.currency]) for place, one in enumerate(result.columns) if one.type is ColumnType.MONEY]
    for row in result.rows:
        values = [json_value(value) for value in row]
        for place, currency in amounts:
            if row[place] is not None:
                values[place] = amount_text(row[place], row[currency])
        yield values


def json_value(value: Any) -> Any:
    """One value, other than money: that needs its currency."""
    match value:
        case Decimal():
            return number_text(value)
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value


def amount_text(amount: Decimal, currency: str | None) -> str:
    """An amount with at least the digits of the currency's minor unit, and no idle zeros beyond: `1234.50`, `0.125`, `7`."""
    digits = -int(minor_unit(currency or "").as_tuple().exponent)
    whole, _, fraction = f"{amount:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def number_text(number: Decimal) -> str:
    """A number without idle zeros: `12.5`, `100`."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
