"""The mapping file as it is written: its sections and keys, checked for form. What its expressions say is checked by `plan`."""

import codecs
import difflib
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from ltc_events.importing.errors import MappingInvalid
from ltc_events.importing.moments import MONTHS, MomentFormat
from ltc_events.importing.numbers import NumberFormat

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""A name in the mapping: lower case letters, digits and underscores."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Formula = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
RESERVED = frozenset({"and", "or", "not", "in", "is", "if", "else", "true", "false", "empty", "parent", "line_number"})


class Section(BaseModel):
    """A part of the mapping file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Words = Annotated[list[str], BeforeValidator(_listed)]


class Column(Section):
    """One column of a file: which one, and how its cells are read."""

    column: str | int = Field(description="heading, or number from 1")
    type: Literal["text", "number", "integer", "date", "time", "boolean"] = "text"
    formats: Words = []
    strip: Words = []
    suffixes: dict[Word, Word] = {}
    months: Annotated[list[Word], Field(min_length=12, max_length=12)] = list(MONTHS)
    timezone: str | None = None
    true: Words = ["true", "yes", "y", "1"]
    false: Words = ["false", "no", "n", "0"]
    empty: Words = []
    map: Identifier | dict[str, str] | None = None
    default: str | None = None
    required: bool = False

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            zone(name)
        return name

    @field_validator("suffixes")
    @classmethod
    def _factors(cls, suffixes: dict[str, str]) -> dict[str, str]:
        for factor in suffixes.values():
            if NumberFormat("1234.56").read(factor) is None:
                raise ValueError(f'{factor!r} is not a number; write for example K = "1000"')
        return suffixes


def _column(value: object) -> object:
    return {"column": value} if isinstance(value, str | int) else value


class Link(Section):
    """Rows of another file: those whose columns `by` equal the values `equals` of this row."""

    file: Identifier
    by: Annotated[list[Identifier], BeforeValidator(_listed), Field(min_length=1)]
    equals: Annotated[list[Formula], BeforeValidator(_listed), Field(min_length=1)]
    many: bool = False
    optional: bool = False
    pick: Literal["only", "first", "last"] = "only"


class File(Section):
    """One CSV file, with names for its columns, for values worked out from them, and for rows of other files."""

    path: Word
    encoding: str | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, StringConstraints(max_length=1)] | None = None
    skip_lines: int = Field(default=0, ge=0, le=1000)
    header: bool = True
    short_rows: Literal["refuse", "pad"] = "refuse"
    long_rows: Literal["refuse", "cut"] = "refuse"
    columns: dict[Identifier, Annotated[Column, BeforeValidator(_column)]] = Field(min_length=1)
    values: dict[Identifier, Formula] = {}
    links: dict[Identifier, Link] = {}

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str | None) -> str | None:
        if name is not None:
            known_encoding(name)
        return name


class Guard(Section):
    """When a row is left out, and why."""

    when: Formula
    reason: Word
    fix: str = "nothing, if that is meant; else change the mapping"


class Emit(Section):
    """One command: of which type, about what, when, and its data. Texts are templates with `{expressions}`."""

    command: Word
    subject: Formula
    customer: Formula | None = None
    time: Formula | None = None
    effective_on: Formula | None = None
    actor: Word | None = None
    when: Formula | None = None
    each: Formula | None = None
    once: bool = False
    data: dict[str, Any] = {}


class Step(Section):
    """One pass over a file: what its rows become. `customer`, `time` and `actor` hold for all commands that state none."""

    file: Identifier
    order_by: Formula | None = None
    customer: Formula | None = None
    time: Formula | None = None
    actor: Word | None = None
    skip: list[Guard] = []
    refuse: list[Guard] = []
    emit: list[Emit] = Field(min_length=1)


class Prelude(Section):
    """A command sent before any row is read, e.g. a policy that fits what the files hold."""

    command: Word
    subject: Formula
    customer: Formula | None = None
    time: datetime | date | str
    effective_on: date | None = None
    actor: Word | None = None
    data: dict[str, Any]


class Control(Section):
    """A total that must come out: the sum of `sum` over the rows of `file`, and of `field` over the events `event`.

    Without `sum` and `field` rows and events are counted.
    """

    name: Word
    file: Identifier
    sum: Formula | None = None
    when: Formula | None = None
    event: Word
    field: Word | None = None
    where: dict[Word, Word] = {}
    currency: Currency | None = None
    note: str | None = None


class Formats(Section):
    """How cells are written where a column does not say."""

    number: Words = ["1234.56"]
    date: Words = ["%Y-%m-%d"]
    time: Words = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d"]
    strip: Words = []


class Mapping(Section):
    """A whole mapping file."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
    namespace: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)] = ""
    source: Word = ""
    actor: Word | None = None
    currency: Currency | None = None
    timezone: str = "UTC"
    encoding: str = "utf-8"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    quote: Annotated[str, StringConstraints(max_length=1)] = '"'
    formats: Formats = Formats()
    constants: dict[Identifier, str | bool] = {}
    maps: dict[Identifier, dict[str, str]] = {}
    files: dict[Identifier, File] = Field(min_length=1)
    prelude: list[Prelude] = []
    steps: list[Step] = Field(min_length=1)
    controls: list[Control] = []

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zone(name)
        return name

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        known_encoding(name)
        return name


def zone(name: str) -> tzinfo:
    """The time zone of this IANA name, e.g. `Europe/Berlin`; raises ValueError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write for example UTC or Europe/Berlin") from None


def known_encoding(name: str) -> None:
    """Raises ValueError unless Python knows the encoding."""
    try:
        codecs.lookup(name)
    except LookupError:
        raise ValueError(f"{name!r} is not an encoding; write for example utf-8, cp1252 or utf-16") from None


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises MappingInvalid, which names the section, the key and the fix."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise invalid(path.name, "file", f"cannot be read: {error}", "give the path of a TOML file in UTF-8") from error
    try:
        given = tomllib.loads(text, parse_float=_no_float)
    except tomllib.TOMLDecodeError as error:
        raise invalid(path.name, "TOML", str(error), "correct the line; https://toml.io says how TOML is written") from error
    except ValueError as error:
        raise invalid(path.name, "TOML", str(error), "put the number into quotes, which keeps it exact") from error
    try:
        mapping = Mapping.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise _form_error(path.name, given, dict(first)) from error
    namespace = mapping.namespace or mapping.name
    return mapping.model_copy(update={"namespace": namespace, "source": mapping.source or f"import/{mapping.name}"})


def invalid(mapping: str, where: str, problem: str, fix: str) -> MappingInvalid:
    """The error for something wrong in a mapping."""
    return MappingInvalid(mapping=mapping, where=where, problem=problem, fix=fix)


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint for a mistyped name: the likeliest of the known ones, or all of them."""
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(known)}"


def _no_float(text: str) -> float:
    raise ValueError(f"{text} is a number that computers round")


def _form_error(mapping: str, given: dict[str, Any], detail: dict[str, Any]) -> MappingInvalid:
    location = list(detail["loc"])
    where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    key = str(location[-1]) if location else ""
    match detail["type"]:
        case "missing":
            return invalid(mapping, where, "is missing", f"add {key} = …")
        case "extra_forbidden":
            known = _keys_at(location[:-1])
            return invalid(mapping, where, "is not a key that mappings have", nearest(key, known) if known else "leave it out")
        case "string_pattern_mismatch" if location and location[-1] == "[key]":
            problem = f"{location[-2]} is not a name"
            return invalid(mapping, where, problem, "use lower case letters, digits and _, beginning with a letter")
        case _:
            message = str(detail["msg"]).removeprefix("Value error, ")
            return invalid(mapping, where, message, "correct the value; docs/import.md lists what each key may be")


def _keys_at(location: Sequence[str | int]) -> list[str]:
    """The keys that the section at a place in the mapping may have; empty when that is not known."""
    model: type[BaseModel] | None = Mapping
    for part in location:
        if model is not None and part in model.model_fields:
            model = _section_of(model.model_fields[str(part)].annotation)
    return [] if model is None else list(model.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_of(argument)
        if found is not None:
            return found
    return None


def iso(value: datetime | date) -> str:
    """A date or time of TOML as JSON has it."""
    return value.isoformat().replace("+00:00", "Z")


def check_formats(formats: Sequence[str], kind: str, months: Sequence[str]) -> None:
    """Raises ValueError unless each is a format of that type of column."""
    for one in formats:
        if kind in ("date", "time"):
            MomentFormat(one, months)
        else:
            NumberFormat(one)
