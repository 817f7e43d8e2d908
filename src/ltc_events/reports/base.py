"""The declaration of a report: an SQL file that begins with a comment in TOML.

```sql
/*
title = "Open amounts"
key = ["{group_by}", "currency"]
events = "SELECT position, currency FROM ltc_read.open_item_movements WHERE effective_on <= %(as_of)s"
definition = \"\"\"What is open per customer (R-69).\"\"\"
ties_to = \"\"\"In total it is what the journal has on its account receivables.\"\"\"
books = "SELECT 'open', currency, sum(amount) FROM ltc_read.journal WHERE account = 'receivables' GROUP BY currency"

[parameters]
group_by = { type = "choice", choices = ["customer", "currency"], default = "customer", meaning = "what a row stands for" }

[columns]
"{group_by}" = { type = "text", meaning = "the customer or currency" }
currency = { type = "text", meaning = "currency of the amounts" }
open = { type = "money", meaning = "what is open", total = true }

[ties]
open = "receivables in the trial balance"
*/
SELECT ...
```

The statement gets, as named parameters of psycopg (`%(as_of)s`; so a percent sign is written twice):

- `as_of` (date): what became effective later is left out, `effective_on <= as_of`;
- `known_position` (bigint): what was recorded later is left out, `position <= known_position`;
- `moment` (timestamptz): the end of the day `as_of`, or the present while that day lasts;
- `days_between_notices` (int): what policy `dunning` says before anybody has published it;
- the report's own parameters; one without a value is null, so cast it: `%(from)s::date`.

Tables are named with their schema (`ltc_read.leads`): that is how the runner knows whose checkpoints count. The columns
of the statement are those declared, in their order. A column named `"{group_by}"` is called `group_by` in the statement
and by the value of that parameter in the report. Money stands beside the column `currency`, or the one that its
declaration names (`currency = "cost_currency"`).

`key` names the columns that identify a row, so that the rows of two states can be compared. A key column that counts in some rows
only has a condition on the statement's columns: `key_where = { position = "section = 'timeline'" }`. `events` is a query of the
events that affect each row: positions, with columns of the key by their names in the statement. (A key column `position` is
called `"row.position"` there.) Figures that follow from other rows of the same report, like shares of a total, have no events;
changed names of customers are handled for all reports.

A report with money says what it `ties_to`. `ties` names columns whose totals must be what the query `books` finds, which
gets the same parameters: rows of the name of a column, a currency and an amount.
"""

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

from ltc_events.reports.errors import ReportMisdeclared

Value: TypeAlias = str | int | date | UUID | None
"""What a parameter may be."""

BUILT_IN = frozenset({"as_of", "known_position", "moment", "days_between_notices"})
_HEAD = re.compile(r"\A/\*\n(.*?)\n\*/\n", re.DOTALL)
_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_TABLE = re.compile(r"\bltc_read\.([a-z_0-9]+)")
_SELF_NAMED = re.compile(r"\{(\w+)\}")


def _sql_name(declared: str) -> str:
    return _SELF_NAMED.sub(r"\1", declared)


class ColumnType(StrEnum):
    """The types of columns, as the JSON form of a report names them."""

    TEXT = "text"
    UUID = "uuid"
    DATE = "date"
    TIME = "time"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    PERCENT = "percent"
    MONEY = "money"
    JSON = "json"


class ParameterType(StrEnum):
    """The types of parameters. `customer` takes an id, a name or a reference of another system, and becomes the id."""

    TEXT = "text"
    CHOICE = "choice"
    DATE = "date"
    INTEGER = "integer"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a report. `total`: it is summed; `optional`: a terminal table omits it when no row has a value."""

    name: str
    type: ColumnType
    meaning: str
    currency: str = "currency"
    total: bool = False
    optional: bool = False

    @property
    def sql_name(self) -> str:
        """Its name in the SQL statement."""
        return _sql_name(self.name)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a report, beside the date and position that every report has.

    `reach`: it counts days `back` from the as-of date or `ahead` of it, and must stay within the calendar.
    """

    name: str
    type: ParameterType
    meaning: str
    default: Value = None
    choices: tuple[str, ...] = ()
    required: bool = False
    reach: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A report as its SQL file declares it.

    `sections` names the column by which a terminal table is split. `narrow`: it reads few rows by indexes instead of whole
    histories. `key`, `key_where` and `events` are as declared, by names in the statement. `ties_to` states in words what its
    amounts are, or are not, reconciled with; `ties` names the total that a column must have, and `books` is the query for it.
    """

    name: str
    title: str
    definition: str
    parameters: dict[str, Parameter]
    columns: tuple[Column, ...]
    sql: str
    key: tuple[str, ...]
    events: str
    key_where: dict[str, str] = field(default_factory=dict)
    sections: str | None = None
    narrow: bool = False
    ties_to: str = ""
    ties: dict[str, str] = field(default_factory=dict)
    books: str = ""
    tables: frozenset[str] = field(default=frozenset())
    event_tables: frozenset[str] = field(default=frozenset())


def declare(name: str, text: str) -> Report:
    """The report in an SQL file; raises ReportMisdeclared."""
    head = _HEAD.match(text)
    if not head:
        raise ReportMisdeclared(report=name, problem="it does not begin with a comment in TOML between lines /* and */")
    try:
        declared = tomllib.loads(head[1])
        report = _report(name, declared, text[head.end() :])
    except (tomllib.TOMLDecodeError, TypeError, KeyError, ValueError) as error:
        raise ReportMisdeclared(report=name, problem=error) from error
    for problem in _problems(report):
        raise ReportMisdeclared(report=name, problem=problem)
    return report


def _report(name: str, declared: dict[str, Any], sql: str) -> Report:
    parameters = declared.pop("parameters", {})
    columns = declared.pop("columns")
    definition = " ".join(declared.pop("definition").split())
    events = declared.pop("events").strip()
    books = declared.pop("books", "").strip()
    conditions = {_sql_name(key): value for key, value in declared.pop("key_where", {}).items()}
    return Report(
        name=name,
        definition=definition,
        parameters={key: _parameter(key, dict(value)) for key, value in parameters.items()},
        columns=tuple(_column(key, dict(value)) for key, value in columns.items()),
        sql=sql.strip(),
        key=tuple(map(_sql_name, declared.pop("key"))),
        events=events,
        key_where=conditions,
        ties_to=" ".join(declared.pop("ties_to", "").split()),
        books=books,
        tables=frozenset(_TABLE.findall(sql)).union(_TABLE.findall(books)),
        event_tables=frozenset(_TABLE.findall(events)),
        **declared,
    )


def _parameter(name: str, declared: dict[str, Any]) -> Parameter:
    choices = tuple(declared.pop("choices", ()))
    return Parameter(name, ParameterType(declared.pop("type")), choices=choices, **declared)


def _column(name: str, declared: dict[str, Any]) -> Column:
    return Column(name, ColumnType(declared.pop("type")), **declared)


def _problems(report: Report) -> list[str]:
    found = []
    used = set(_PLACEHOLDER.findall(report.sql))
    elsewhere = set(_PLACEHOLDER.findall(report.events)).union(_PLACEHOLDER.findall(report.books))
    known = BUILT_IN | report.parameters.keys()
    names = {column.name for column in report.columns}
    found += [f"the statement uses {name}, which is no parameter" for name in sorted((used | elsewhere) - known)]
    found += [f"the parameter {name} is not used" for name in sorted(report.parameters.keys() - used)]
    found += [f"the parameter {name} is given to every report" for name in sorted(BUILT_IN & report.parameters.keys())]
    for parameter in report.parameters.values():
        if parameter.reach is not None and (
            parameter.type is not ParameterType.INTEGER or parameter.reach not in ("back", "ahead")
        ):
            found.append(f"the reach of {parameter.name} is back or ahead, of a number of days")
        if (parameter.type is ParameterType.CHOICE) != bool(parameter.choices):
            found.append(f"the parameter {parameter.name} needs choices, and only a choice has them")
        if parameter.choices and parameter.default not in (None, *parameter.choices):
            found.append(f"the default of {parameter.name} is none of its choices")
    for column in report.columns:
        if column.type is ColumnType.MONEY and column.currency not in names:
            found.append(f"the amounts of {column.name} have no column {column.currency} beside them")
        if column.total and column.type not in (ColumnType.INTEGER, ColumnType.DECIMAL, ColumnType.MONEY):
            found.append(f"the column {column.name} cannot be added up")
        found += [f"the column {column.name} is named by no parameter" for _ in set(_SELF_NAMED.findall(column.name)) - known]
    found += _untied(report)
    if report.sections is not None and report.sections not in names:
        found.append(f"there is no column {report.sections} to make sections of")
    sql_names = {column.sql_name for column in report.columns}
    found += [f"there is no column {name} to be part of the key" for name in report.key if name not in sql_names]
    found += [
        f"the column {name} has a condition, and is not part of the key" for name in report.key_where if name not in report.key
    ]
    if not report.key:
        found.append("the key names no column")
    if not report.tables:
        found.append("the statement reads no table of ltc_read")
    return found


def _untied(report: Report) -> list[str]:
    totals = {column.name for column in report.columns if column.type is ColumnType.MONEY and column.total}
    found = [f"the tie of {name} is of no amount that is added up" for name in report.ties if name not in totals]
    if bool(report.ties) != bool(report.books):
        found.append("ties need a query books that finds what they are held against, and only they do")
    if not report.ties_to and any(column.type is ColumnType.MONEY for column in report.columns):
        found.append("it shows money, and does not say what that ties_to")
    return found
