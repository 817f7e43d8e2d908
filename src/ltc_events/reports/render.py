"""The output formats of a report: a JSON document, a terminal table, CSV, Parquet.

Each is written while the rows are read, in constant memory; except for the terminal table, whose rows are measured first: see
`column_widths`.
"""

import csv
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

import orjson

from ltc_events.kernel.output_escaping import csv_cell
from ltc_events.reports.base import ColumnType
from ltc_events.reports.parquet import write_parquet
from ltc_events.reports.runner import Answer
from ltc_events.reports.table import write_table
from ltc_events.reports.values import amount_text, json_rows, json_value

__all__ = ["write_csv", "write_json", "write_parquet", "write_table"]

_INDENTED = orjson.OPT_INDENT_2


def write_json(answer: Answer, stream: TextIO) -> None:
    """The report as one JSON document: amounts, percentages and other decimals are strings, dates and times ISO 8601 in UTC.

    `totals` holds a number per summed column, or for money an object from currency to amount; `ties` holds totals with the
    amounts of the books, for reports that tie to them.
    """
    head = {
        "report": answer.report.name,
        "as_of": answer.as_of.isoformat(),
        "known_at": json_value(answer.known_at),
        "position": answer.position,
        "parameters": {name: json_value(value) for name, value in answer.parameters.items()},
        "columns": [{"name": column.name, "type": column.type.value} for column in answer.columns],
    }
    write_document(stream, head, "rows", json_objects(answer), lambda: {"totals": json_totals(answer), **json_ties(answer)})


def write_document(
    stream: TextIO,
    head: dict[str, Any],
    name: str,
    items: Iterable[dict[str, Any]],
    tail: Callable[[], dict[str, Any]] | None = None,
) -> None:
    """One JSON document, indented as by `orjson`: the members of `head`, a list of `items`, and the members of `tail`.

    Items are written as they come, and `tail` is called after the last one.
    """
    stream.write(orjson.dumps(head, option=_INDENTED).decode().removesuffix("\n}"))
    stream.write(f',\n  "{name}": [')
    separator, end = "\n    ", "]"
    for item in items:
        stream.write(separator + orjson.dumps(item, option=_INDENTED).decode().replace("\n", "\n    "))
        separator, end = ",\n    ", "\n  ]"
    stream.write(end)
    if tail is not None:
        stream.write("," + orjson.dumps(tail(), option=_INDENTED).decode().removeprefix("{").removesuffix("\n}"))
    stream.write("\n}\n")


def json_objects(answer: Answer) -> Iterator[dict[str, Any]]:
    """The rows as objects of JSON values by the names of columns."""
    names = [column.name for column in answer.columns]
    for row in json_rows(answer.columns, answer.rows):
        yield dict(zip(names, row, strict=True))


def json_totals(answer: Answer) -> dict[str, Any]:
    """The totals as JSON values."""
    money = {column.name for column in answer.columns if column.type is ColumnType.MONEY}
    return {
        name: {currency: amount_text(amount, currency) for currency, amount in total.items()}
        if name in money
        else json_value(total)
        for name, total in answer.totals.items()
    }


def json_ties(answer: Answer) -> dict[str, Any]:
    """The ties as JSON values, of a report that has any."""
    if not answer.report.ties:
        return {}
    ties = [
        {"column": tie.column, "currency": tie.currency, "against": tie.against}
        | {
            name: amount_text(amount, tie.currency)
            for name, amount in (("total", tie.total), ("booked", tie.booked), ("difference", tie.difference))
        }
        for tie in answer.ties
    ]
    return {"ties": ties}


def write_csv(answer: Answer, stream: TextIO) -> None:
    """CSV with a header line; values as in JSON, null as an empty cell."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.name for column in answer.columns])
    texts = [place for place, column in enumerate(answer.columns) if column.type is ColumnType.TEXT]
    json_places = [place for place, column in enumerate(answer.columns) if column.type in (ColumnType.JSON, ColumnType.BOOLEAN)]
    for row in json_rows(answer.columns, answer.rows):
        for place in json_places:
            row[place] = None if row[place] is None else orjson.dumps(row[place]).decode()
        for place in texts:
            row[place] = csv_cell(row[place])
        writer.writerow(row)
