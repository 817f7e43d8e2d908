"""Parses the parameters, dates and times that a user gives for a report."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from ltc_events.reports.base import Parameter, ParameterType, Report, Value
from ltc_events.reports.errors import InvalidMoment, InvalidParameter, ParameterMissing, UnknownParameter

if TYPE_CHECKING:
    from ltc_events.store import EventStore


def parse_as_of(value: date | str | None) -> date | None:
    """A business date; None for None, which means today. Raises InvalidMoment."""
    if not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise InvalidMoment(name="--as-of", value=value, expected="a date", example="2026-03-31") from error


def parse_known_at(value: int | datetime | str | None, name: str = "--known-at") -> int | datetime | None:
    """A position or a time; None for None, which means now. A date means the end of that day; a time without zone is UTC."""
    if isinstance(value, str):
        value = _position_or_moment(value, name)
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    if isinstance(value, int) and value < 0:
        raise InvalidMoment(name=name, value=value, expected="a position, which counts from 1", example="1500")
    return value


def known_position(store: "EventStore", known_at: str | None) -> int:
    """The position of the log that `--known-at` means, which is always at the end of a command; raises InvalidMoment.

    A position among the events of a command is rounded up to the last of them, as in reports; a time means the last position
    recorded by then.
    """
    wanted = parse_known_at(known_at)
    head = store.head()[0]
    if wanted is None:
        return head
    return store.command_end(min(wanted, head)) if isinstance(wanted, int) else store.position_at(wanted)


def _position_or_moment(text: str, name: str) -> int | datetime:
    try:
        if text.lstrip("-").isdecimal():
            return int(text)
        if len(text) == len("2026-03-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        return datetime.fromisoformat(text)
    except ValueError as error:
        example = "1500 or 2026-03-31T18:00:00Z"
        raise InvalidMoment(name=name, value=text, expected="a position or a time", example=example) from error


def parse_parameters(report: Report, given: Mapping[str, Value]) -> dict[str, Value]:
    """A value for every parameter of the report: the given ones, else the defaults.

    Raises UnknownParameter, InvalidParameter, ParameterMissing.
    """
    for name in given:
        if name not in report.parameters:
            known = ", ".join(report.parameters) or "none beside as_of and known_at"
            raise UnknownParameter(report=report.name, parameter=name, known=known)
    return {name: _value(report, parameter, given.get(name)) for name, parameter in report.parameters.items()}


def require_in_calendar(report: Report, values: Mapping[str, Value], as_of: date) -> None:
    """Refuse a window that begins before the calendar or ends after it: years 1 to 9999. Raises InvalidParameter."""
    for parameter in report.parameters.values():
        days = values[parameter.name]
        if parameter.reach is None or not isinstance(days, int):
            continue
        end, side, most = (
            (date.min, "before", (as_of - date.min).days + 1)
            if parameter.reach == "back"
            else (date.max, "after", (date.max - as_of).days)
        )
        if days > most:
            problem = f"as of {as_of} that reaches {side} {end}, where the calendar ends"
            example = f"give at most {most}, or another --as-of"
            raise InvalidParameter(parameter=parameter.name, value=days, problem=problem, example=example)


def _value(report: Report, parameter: Parameter, given: Value) -> Value:
    if given is None:
        if parameter.required:
            raise ParameterMissing(report=report.name, parameter=parameter.name, meaning=parameter.meaning)
        return parameter.default
    match parameter.type:
        case ParameterType.CHOICE:
            if given not in parameter.choices:
                example = f"choose one of {', '.join(parameter.choices)}"
                raise InvalidParameter(
                    parameter=parameter.name, value=given, problem="it is not one of the choices", example=example
                )
            return given
        case ParameterType.DATE:
            return _date(parameter.name, given)
        case ParameterType.INTEGER:
            return _integer(parameter.name, given)
        case ParameterType.TEXT | ParameterType.CUSTOMER:
            return given if not isinstance(given, str) else given.strip()


def _date(name: str, given: Value) -> date:
    if isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError as error:
        raise InvalidParameter(
            parameter=name, value=given, problem="it is not a date", example="write it like 2026-03-31"
        ) from error


def _integer(name: str, given: Value) -> int:
    try:
        number = int(str(given))
    except ValueError as error:
        raise InvalidParameter(
            parameter=name, value=given, problem="it is not a whole number", example="write it like 30"
        ) from error
    if not 0 <= number < 2**31:
        raise InvalidParameter(parameter=name, value=given, problem="it is out of range", example="write it like 30")
    return number
