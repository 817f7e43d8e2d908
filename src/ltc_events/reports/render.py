"""The forms in which a report leaves the house: a JSON document, a table for a terminal, CSV, Parquet."""

import csv
from typing import Any, TextIO

import orjson

from ltc_events.reports.base import ColumnType
from ltc_events.reports.parquet import write_parquet
from ltc_events.reports.runner import Result
from ltc_events.reports.table import to_table
from ltc_events.reports.values import amount_text, json_rows, json_value

__all__ = ["to_document", "to_json", "to_table", "write_csv", "write_parquet"]


def to_document(result: Result) -> dict[str, Any]:
    """The report as JSON values: amounts, percentages and other decimals are strings, dates and times ISO 8601 in UTC.

    `totals` holds, per column that is added up, a number, or for money an object from currency to amount.
    """
    names = [column.name for column in result.columns]
    money = {column.name for column in result.columns if column.type is ColumnType.MONEY}
    totals = {
        name: {currency: amount_text(amount, currency) for currency, amount in total.items()}
        if name in money
        else json_value(total)
        for name, total in result.totals.items()
    }
    return {
        "report": result.report.name,
        "as_of": result.as_of.isoformat(),
        "known_at": json_value(result.known_at),
        "position": result.position,
        "parameters": {name: json_value(value) for name, value in result.parameters.items()},
        "columns": [{"name": column.name, "type": column.type.value} for column in result.columns],
        "rows": [dict(zip(names, row, strict=True)) for row in json_rows(result)],
        "totals": totals,
    }


def to_json(result: Result) -> str:
    """`to_document` as text."""
    return orjson.dumps(to_document(result), option=orjson.OPT_INDENT_2).decode()


def write_csv(result: Result, stream: TextIO) -> None:
    """Comma-separated values with a head; the values as in JSON, nulls empty."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in result.columns])
    for row in json_rows(result):
        writer.writerow(["" if value is None else _cell(value) for value in row])


def _cell(value: Any) -> str:
    return orjson.dumps(value).decode() if isinstance(value, dict | list | bool) else str(value)
