"""The functions that expressions may call."""

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache, reduce
from typing import Any, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from ltc_events.aggregates.policies import policy_id
from ltc_events.importing.errors import BadValue
from ltc_events.importing.kinds import (
    BOOLEAN,
    DATE,
    EMPTY,
    ID,
    INTEGER,
    NUMBER,
    NUMBERS,
    TEXT,
    TIME,
    BadFormula,
    Expression,
    Kind,
    as_text,
    empty_value,
)
from ltc_events.importing.numbers import EXACT
from ltc_events.kernel.ids import derive_id
from ltc_events.kernel.phone_numbers import read_phone_number
from ltc_events.schemas.base import Email, Phone
from ltc_events.schemas.policy import PolicyKind

Evaluate = Callable[[Any], Any]
Built = tuple[Evaluate, Kind]
_MANY = 20
_NO_CODE = re.compile(r"[^A-Za-z0-9._:/ -]+")
CODE_LENGTH_MAX = 80
_PHONE, _EMAIL = TypeAdapter[str](Phone), TypeAdapter[str](Email)


class Function(NamedTuple):
    """One function: how it is written, how many arguments it takes, and how a call of it is compiled."""

    usage: str
    meaning: str
    least: int
    most: int
    build: Callable[[Sequence[Expression], str], Built]


def _id(arguments: Sequence[Expression], namespace: str) -> Built:
    kind, *parts = arguments
    if kind.kind != TEXT or not kind.text.startswith(("'", '"')):
        raise BadFormula(f"the kind of an id is {kind.text}", "write a fixed text, for example id('order', number)")
    name = kind.evaluate(None)

    def evaluate(row: Any) -> UUID:
        texts = []
        for part in parts:
            value = part.evaluate(row)
            if value is None:
                raise empty_value(part.text)
            texts.append(value if isinstance(value, str) else _key_text(value))
        return _known_id(namespace, name, *texts)

    return evaluate, ID


@lru_cache(maxsize=20_000)
def _known_id(*parts: str) -> UUID:
    """The commands of a row name the same few things again and again."""
    return derive_id("import", *parts)


def _uuid(arguments: Sequence[Expression], _: str) -> Built:
    (argument,) = arguments
    _want(argument, (TEXT,))

    def read(text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise BadValue("not_a_uuid", f"{text!r} is not a UUID", "use id('kind', column) for keys that are none") from None

    return _filled(argument, read), ID


def _policy(arguments: Sequence[Expression], _: str) -> Built:
    name = arguments[0].evaluate(None) if arguments[0].text.startswith(("'", '"')) else ""
    if name not in list(PolicyKind):
        raise BadFormula(f"{arguments[0].text} is no kind of policy", f"write one of {', '.join(PolicyKind)}, in quotes")
    id = policy_id(name)
    return (lambda _: id), ID


def _sum(arguments: Sequence[Expression], _: str) -> Built:
    (argument,) = arguments
    if argument.kind not in (Kind("list", "number"), Kind("list", "integer")):
        raise BadFormula(f"{argument.text} is {argument.kind}", "write sum(rows.column) with a column of numbers")
    evaluate = argument.evaluate

    def total(row: Any) -> Decimal:
        values = evaluate(row)
        if None in values:
            raise empty_value(argument.text)
        return reduce(EXACT.add, values, Decimal(0))

    return total, NUMBER


def _before(arguments: Sequence[Expression], _: str) -> Built:
    (argument,) = arguments
    _want(argument, NUMBERS)
    evaluate = argument.evaluate

    def total(row: Any) -> Decimal:
        if row.parent is None:
            raise BadValue("no_rows_before", "before(…) is asked of a row that is not gone through by each", "use it within each")
        values = [evaluate(one) for one in row.siblings[: row.index - 1]]
        if None in values:
            raise empty_value(argument.text)
        return reduce(EXACT.add, values, Decimal(0))

    return total, NUMBER


def _count(arguments: Sequence[Expression], _: str) -> Built:
    (argument,) = arguments
    if argument.kind.name not in ("rows", "list"):
        raise BadFormula(f"{argument.text} is {argument.kind}", "write count(rows) with a link that has many = true")
    evaluate = argument.evaluate
    return (lambda row: len(evaluate(row))), INTEGER


def _first(arguments: Sequence[Expression], _: str) -> Built:
    return _pick(arguments[0], 0)


def _last(arguments: Sequence[Expression], _: str) -> Built:
    return _pick(arguments[0], -1)


def _pick(argument: Expression, place: int) -> Built:
    if argument.kind.name not in ("rows", "list"):
        raise BadFormula(f"{argument.text} is {argument.kind}", "write first(rows) with a link that has many = true")
    evaluate = argument.evaluate
    kind = Kind("row", argument.kind.of) if argument.kind.name == "rows" else Kind(argument.kind.of)

    def pick(row: Any) -> Any:
        values = evaluate(row)
        return values[place] if values else None

    return pick, kind


def _smallest(arguments: Sequence[Expression], _: str) -> Built:
    return _extreme(arguments, min)


def _largest(arguments: Sequence[Expression], _: str) -> Built:
    return _extreme(arguments, max)


def _extreme(arguments: Sequence[Expression], choose: Callable[..., Any]) -> Built:
    kinds = {argument.kind for argument in arguments}
    if not (kinds <= set(NUMBERS) or kinds in ({DATE}, {TIME})):
        said = ", ".join(f"{argument.text} is {argument.kind}" for argument in arguments)
        raise BadFormula(said, "compare numbers with numbers, dates with dates, times with times")
    kind = NUMBER if len(kinds) > 1 else kinds.pop()

    def evaluate(row: Any) -> Any:
        values = []
        for argument in arguments:
            value = argument.evaluate(row)
            if value is None:
                raise empty_value(argument.text)
            values.append(value)
        return choose(values)

    return evaluate, kind


def _abs(arguments: Sequence[Expression], _: str) -> Built:
    _want(arguments[0], NUMBERS)
    return _filled(arguments[0], abs), NUMBER


def _date(arguments: Sequence[Expression], _: str) -> Built:
    _want(arguments[0], (TIME, DATE))
    return _optional(arguments[0], lambda value: value.date() if isinstance(value, datetime) else value), DATE


def _days_after(arguments: Sequence[Expression], _: str) -> Built:
    moment, days = arguments
    _want(moment, (TIME, DATE))
    _want(days, NUMBERS)
    begin, count = moment.evaluate, days.evaluate

    def evaluate(row: Any) -> Any:
        first, number = begin(row), count(row)
        if first is None or number is None:
            raise empty_value(moment.text if first is None else days.text)
        if number != int(number):
            raise BadValue("not_whole", f"{days.text} is {number}", "give whole days")
        return first + timedelta(days=int(number))

    return evaluate, moment.kind


def _text(arguments: Sequence[Expression], _: str) -> Built:
    if arguments[0].kind.name in ("row", "rows", "list"):
        raise BadFormula(f"{arguments[0].text} is {arguments[0].kind}", "name one of its columns behind a dot")
    return _optional(arguments[0], as_text), TEXT


def _join(arguments: Sequence[Expression], _: str) -> Built:
    for argument in arguments:
        if argument.kind.name in ("row", "rows", "list"):
            raise BadFormula(f"{argument.text} is {argument.kind}", "name one of its columns behind a dot")
    parts = [argument.evaluate for argument in arguments]
    return (lambda row: "".join(as_text(part(row)) for part in parts) or None), TEXT


def _lower(arguments: Sequence[Expression], _: str) -> Built:
    _want(arguments[0], (TEXT,))
    return _optional(arguments[0], str.lower), TEXT


def _upper(arguments: Sequence[Expression], _: str) -> Built:
    _want(arguments[0], (TEXT,))
    return _optional(arguments[0], str.upper), TEXT


def _left(arguments: Sequence[Expression], _: str) -> Built:
    _want(arguments[0], (TEXT,))
    if not arguments[1].text.isdecimal():
        raise BadFormula(f"{arguments[1].text} is no fixed number of characters", "write for example left(title, 80)")
    length = int(arguments[1].text)
    return _optional(arguments[0], lambda text: text[:length]), TEXT


def _replace(arguments: Sequence[Expression], _: str) -> Built:
    for argument in arguments:
        _want(argument, (TEXT,))
    if not all(argument.text.startswith(("'", '"')) for argument in arguments[1:]):
        raise BadFormula("replace needs fixed texts", "write for example replace(sku, '#', '-')")
    old, new = arguments[1].evaluate(None), arguments[2].evaluate(None)
    return _optional(arguments[0], lambda text: text.replace(old, new)), TEXT


def _code(arguments: Sequence[Expression], _: str) -> Built:
    _want(arguments[0], (TEXT,))
    return _optional(arguments[0], lambda text: _NO_CODE.sub("-", text).strip("-. :/")[:CODE_LENGTH_MAX] or None), TEXT


def _phone(arguments: Sequence[Expression], _: str) -> Built:
    for argument in arguments:
        _want(argument, (TEXT,))
    text, *countries = [argument.evaluate for argument in arguments]

    def possible(row: Any) -> str | None:
        said = text(row)
        country = countries[0](row) if countries else None
        return said if said is not None and _is_valid(_PHONE, said) and read_phone_number(said, country).is_possible else None

    return possible, TEXT


def _email(arguments: Sequence[Expression], _: str) -> Built:
    _want(arguments[0], (TEXT,))

    def valid(text: str) -> str | None:
        return text if _is_valid(_EMAIL, text) else None

    return _optional(arguments[0], valid), TEXT


def _is_valid(type: TypeAdapter[str], text: str) -> bool:
    try:
        type.validate_python(text)
    except ValidationError:
        return False
    return True


def _starts_with(arguments: Sequence[Expression], _: str) -> Built:
    for argument in arguments:
        _want(argument, (TEXT,))
    text, begin = arguments[0].evaluate, arguments[1].evaluate
    return (lambda row: (text(row) or "").startswith(begin(row) or "")), BOOLEAN


def _contains(arguments: Sequence[Expression], _: str) -> Built:
    for argument in arguments:
        _want(argument, (TEXT,))
    text, part = arguments[0].evaluate, arguments[1].evaluate
    return (lambda row: (part(row) or "") in (text(row) or "")), BOOLEAN


def _want(argument: Expression, kinds: Sequence[Kind]) -> None:
    if argument.kind not in kinds and argument.kind != EMPTY:
        wanted = " or ".join(str(kind) for kind in kinds)
        raise BadFormula(f"{argument.text} is {argument.kind}, not {wanted}", f"give {wanted}: set the column's type")


def _filled(argument: Expression, convert: Callable[[Any], Any]) -> Evaluate:
    evaluate = argument.evaluate

    def converted(row: Any) -> Any:
        value = evaluate(row)
        if value is None:
            raise empty_value(argument.text)
        return convert(value)

    return converted


def _optional(argument: Expression, convert: Callable[[Any], Any]) -> Evaluate:
    evaluate = argument.evaluate

    def converted(row: Any) -> Any:
        value = evaluate(row)
        return None if value is None else convert(value)

    return converted


def _key_text(value: Any) -> str:
    """A key is the same however its number was written: 7, 7.0 and 7.00 are one."""
    if isinstance(value, Decimal):
        value = value.normalize(EXACT)
    return as_text(value)


FUNCTIONS = {
    "id": Function("id('kind', key, …)", "the ledger's id of a thing, from its key in the source", 2, _MANY, _id),
    "uuid": Function("uuid(column)", "an id that already is a UUID", 1, 1, _uuid),
    "policy": Function("policy('kind')", "the id of a policy, e.g. policy('required_fields')", 1, 1, _policy),
    "sum": Function("sum(rows.column)", "the sum of a column over linked rows", 1, 1, _sum),
    "before": Function("before(column)", "within `each`: the sum of a column over the rows that came before", 1, 1, _before),
    "count": Function("count(rows)", "how many linked rows there are", 1, 1, _count),
    "first": Function("first(rows)", "the first of linked rows, or of their values", 1, 1, _first),
    "last": Function("last(rows)", "the last of linked rows, or of their values", 1, 1, _last),
    "min": Function("min(a, b, …)", "the smallest number, or the earliest moment", 2, _MANY, _smallest),
    "max": Function("max(a, b, …)", "the largest number, or the latest moment", 2, _MANY, _largest),
    "abs": Function("abs(a)", "a number without its sign", 1, 1, _abs),
    "date": Function("date(a)", "the day of a time, in the time zone it was read in", 1, 1, _date),
    "days_after": Function("days_after(a, 30)", "a date or time so many days later", 2, 2, _days_after),
    "text": Function("text(a)", "any value as text", 1, 1, _text),
    "join": Function("join(a, ' ', b, …)", "values one behind the other as one text", 2, _MANY, _join),
    "lower": Function("lower(a)", "in small letters", 1, 1, _lower),
    "upper": Function("upper(a)", "in capital letters", 1, 1, _upper),
    "left": Function("left(a, 80)", "the first characters", 2, 2, _left),
    "replace": Function("replace(a, 'x', 'y')", "every x replaced by y", 3, 3, _replace),
    "code": Function("code(a)", "with `-` in place of what codes such as a SKU may not hold, 80 characters at most", 1, 1, _code),
    "possible_phone": Function(
        "possible_phone(a, 'DE')", "empty where it can be no telephone number, of this country if one is given", 1, 2, _phone
    ),
    "valid_email": Function("valid_email(a)", "empty where it can be no e-mail address", 1, 1, _email),
    "starts_with": Function("starts_with(a, 'x')", "whether a text begins so", 2, 2, _starts_with),
    "contains": Function("contains(a, 'x')", "whether a text has it inside", 2, 2, _contains),
}
