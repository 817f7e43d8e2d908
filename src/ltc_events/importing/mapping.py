"""Reads a mapping's folder (`mapping.toml`, `tables/*.sql`, `steps/*.sql`) and checks its form."""

import codecs
import difflib
import re
import tomllib
from collections.abc import Sequence
from datetime import date, datetime, tzinfo
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from ltc_events.importing.errors import Mistake
from ltc_events.kernel.time_zones import stated_zone

Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""A name in the mapping: lower case letters, digits and underscores."""
Word = Annotated[str, StringConstraints(min_length=1, max_length=300)]
Sql = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Format = Literal["csv", "json", "jsonl", "parquet", "xlsx", "sqlite", "duckdb", "postgresql"]


class Section(BaseModel):
    """A part of the mapping: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class SourceSection(Section):
    """A source of rows: a file, several files of one shape (`path` with `*`), or a database table."""

    path: Word | None = None
    format: Format | None = None
    key: Annotated[list[Word], BeforeValidator(_listed)] = []
    encoding: str = "utf-8"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, StringConstraints(max_length=1)] = '"'
    skip_lines: int = Field(default=0, ge=0, le=1000)
    columns: list[Word] = []
    short_rows: Literal["refuse", "pad"] = "refuse"
    long_rows: Literal["refuse", "cut"] = "refuse"
    member: Word | None = None
    sheet: Word | None = None
    range: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}[0-9]+:[A-Z]{1,3}[0-9]*$")] | None = None
    records: Word | None = None
    table: Word | None = None
    query: Sql | None = None
    url_env: Word | None = None

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError:
            raise ValueError(f"{name!r} is not an encoding; write for example utf-8, cp1252 or utf-16") from None
        return name


class PolicySection(Section):
    """A policy to publish before rows are read."""

    kind: Word
    time: datetime | date
    content: dict[str, Any] = {}


class ControlSection(Section):
    """A total that must agree: of `sum` over the rows of a table where `when` holds, and of `field` over the events `event`.

    Without `sum` and `field` rows and events are counted.
    """

    name: Word
    rows: Identifier
    sum: Sql | None = None
    when: Sql | None = None
    event: Word | None = None
    field: Word | None = None
    against: Literal["import", "ledger"] = "import"
    subject: Sql | None = None
    state: Word | None = None
    where: dict[Word, Word] = {}
    currency: Currency | None = None
    note: str | None = None


class MappingFile(Section):
    """All of mapping.toml."""

    name: Slug
    namespace: Slug | Literal[""] = ""
    source: str = ""
    actor: Word | None = None
    currency: Currency | None = None
    timezone: str = "UTC"
    sources: dict[Identifier, SourceSection] = Field(min_length=1)
    maps: dict[Identifier, dict[str, str]] = {}
    policies: list[PolicySection] = []
    controls: list[ControlSection] = []

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zone(name)
        return name


class StepHead(Section):
    """The head of a step: whose rows, which command, in which order, and what a refusal means for the rest of the row.

    `if_new` is another name of `command`. What the ledger has already, `if_changed` brings to what the row says; `vanished` says
    what is done about what no row names any more, and `if_back` when it is named again. `unless` are statuses of the subject in
    which the command is not sent: it is as the row says already.
    """

    rows: Identifier | None = None
    command: Word | None = None
    if_new: Word | None = None
    if_changed: Annotated[list[Word], BeforeValidator(_listed)] = []
    vanished: Word | dict[str, Any] | None = None
    if_back: dict[str, Any] | None = None
    unless: Annotated[list[Word], BeforeValidator(_listed)] = []
    order: Sql | None = None
    once: bool = False
    on_refusal: Literal["stop row", "go on"] = "stop row"

    @model_validator(mode="after")
    def _one_command(self) -> Self:
        if self.command is not None and self.if_new is not None:
            raise ValueError("command and if_new are the same thing; give one of them")
        if self.name is None and (self.if_changed or self.unless or self.vanished is not None or self.if_back is not None):
            raise ValueError("if_changed, unless, vanished and if_back go with a command; give if_new")
        return self

    @property
    def name(self) -> str | None:
        """The command for what is new; None of a check."""
        return self.command or self.if_new


class SqlFile(NamedTuple):
    """One .sql file: its path within the folder, its name without suffix, and its text."""

    path: str
    name: str
    text: str


class StepFile(NamedTuple):
    """One step."""

    file: SqlFile
    head: StepHead


class Folder(NamedTuple):
    """The files of a mapping."""

    path: Path
    mapping: MappingFile
    tables: list[SqlFile]
    steps: list[StepFile]


def is_mapping_folder(path: Path) -> bool:
    """Whether the folder holds a mapping."""
    return (path / MAPPING_FILE).is_file()


MAPPING_FILE = "mapping.toml"
_HEAD = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)


def read_folder(path: Path) -> tuple[Folder | None, list[Mistake]]:
    """The mapping in a folder, and what is wrong with it; none where mapping.toml itself cannot be used."""
    mistakes: list[Mistake] = []
    mapping = _read_mapping(path, mistakes)
    tables = _sql_files(path, "tables", mistakes)
    steps = []
    for file in _sql_files(path, "steps", mistakes):
        head = _read_head(file, mistakes)
        if head is not None:
            steps.append(StepFile(file, head))
    if not steps and not mistakes:
        mistakes.append(Mistake("steps", 0, 0, "there is no step", "put a file NAME.sql into the folder steps of the mapping"))
    if mapping is None:
        return None, mistakes
    filled = {"namespace": mapping.namespace or mapping.name, "source": mapping.source or f"import/{mapping.name}"}
    return Folder(path, mapping.model_copy(update=filled), tables, steps), mistakes


def zone(name: str) -> tzinfo:
    """The time zone of this IANA name, e.g. `Europe/Berlin`; raises ValueError."""
    stated = stated_zone(name)
    if stated is None:
        raise ValueError(f"{name!r} is not a time zone; write for example UTC or Europe/Berlin")
    return stated


def nearest(name: str, known: Sequence[str]) -> str:
    """A hint for a misspelt name: the most similar known names, or all of them."""
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]}?" if close else f"use one of {', '.join(known)}"


def _sql_files(path: Path, folder: str, mistakes: list[Mistake]) -> list[SqlFile]:
    found = []
    for file in sorted((path / folder).glob("*.sql")):
        try:
            if not file.resolve().is_relative_to(path.resolve()):
                raise OSError("it is a link that leads out of the mapping's folder")  # noqa: TRY301 - told like the others
            found.append(
                SqlFile(f"{folder}/{file.name}", re.sub(r"^[0-9]+[-_]", "", file.stem), file.read_text(encoding="utf-8"))
            )
        except (OSError, UnicodeDecodeError) as error:
            mistakes.append(Mistake(f"{folder}/{file.name}", 0, 0, f"cannot be read: {error}", "make it a file in UTF-8"))
    return found


def _read_mapping(path: Path, mistakes: list[Mistake]) -> MappingFile | None:
    try:
        text = (path / MAPPING_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        mistakes.append(Mistake(MAPPING_FILE, 0, 0, f"cannot be read: {error}", "make it a TOML file in UTF-8"))
        return None
    found = _validated(MappingFile, text, MAPPING_FILE, 0, mistakes)
    return found if isinstance(found, MappingFile) else None


def _read_head(file: SqlFile, mistakes: list[Mistake]) -> StepHead | None:
    match = _HEAD.match(file.text)
    if match is None:
        fix = 'begin with /* rows = "orders", and on the next line command = "order.place" */'
        mistakes.append(Mistake(file.path, 1, 1, "has no head", fix))
        return None
    before = file.text[: match.start(1)].count("\n")
    found = _validated(StepHead, match[1], file.path, before, mistakes)
    return found if isinstance(found, StepHead) else None


def _validated(model: type[Section], text: str, path: str, before: int, mistakes: list[Mistake]) -> Section | None:
    """A section of TOML; `before` lines of the file stand above it."""
    try:
        given = tomllib.loads(text, parse_float=_no_float)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"line (\d+)(?:, column (\d+))?", str(error))
        at = (before + int(line[1]), int(line[2] or 0)) if line else (0, 0)
        problem = re.sub(r" \(at .*\)$", "", str(error))
        mistakes.append(
            Mistake(path, *at, f"is not TOML: {problem}", "correct the line; https://toml.io says how TOML is written")
        )
        return None
    except ValueError as error:
        mistakes.append(Mistake(path, 0, 0, str(error), "put the number into quotes, which keeps it exact"))
        return None
    try:
        return model.model_validate(given)
    except ValidationError as errors:
        mistakes.extend(_form_mistake(model, path, text, before, dict(one)) for one in errors.errors(include_url=False))
        return None


def _no_float(text: str) -> float:
    raise ValueError(f"{text} is a number that computers round")


def _form_mistake(model: type[Section], path: str, text: str, before: int, detail: dict[str, Any]) -> Mistake:
    location = list(detail["loc"])
    where = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    line = line_of(text, location[:-1] if detail["type"] == "missing" else location)
    at = (before + line if line else 0, 1 if line else 0)
    key = str(location[-1]) if location else ""
    match detail["type"]:
        case "missing":
            return Mistake(path, *at, f"{where} is missing", f"add {key} = …")
        case "extra_forbidden":
            known = _keys_at(model, location[:-1])
            fix = nearest(key, known) if known else "leave it out"
            return Mistake(path, *at, f"{where} is not a key that mappings have", fix)
        case "string_pattern_mismatch" if location and location[-1] == "[key]":
            fix = "use lower case letters, digits and _, beginning with a letter"
            return Mistake(path, *at, f"{location[-2]} is not a name", fix)
        case _:
            message = str(detail["msg"]).removeprefix("Value error, ")
            return Mistake(path, *at, f"{where}: {message}", "correct the value; docs/import.md lists what each key may be")


def line_of(text: str, location: Sequence[str | int]) -> int:
    """The line in a TOML text where a key stands, as far as a look at the lines tells; 0 where they do not."""
    lines = text.splitlines()
    start, found = 0, 0
    for part in location:
        if isinstance(part, int):
            seen = -1
            for number in range(start, len(lines)):
                if lines[number].startswith("[["):
                    seen += 1
                    if seen == part:
                        start = found = number
                        break
            continue
        pattern = re.compile(
            rf'\s*(\[+[^\]]*\b{re.escape(part)}"?\s*\]|"?{re.escape(part)}"?\s*(=|\.)|.*[{{,]\s*{re.escape(part)}\s*=)'
        )
        for number in range(start, len(lines)):
            if pattern.match(lines[number]):
                start = found = number
                break
        else:
            continue
    return found + 1 if location and lines else 0


def _keys_at(model: type[Section], location: Sequence[str | int]) -> list[str]:
    """The keys that the section at a place in the mapping may have; empty when that is not known."""
    found: type[BaseModel] | None = model
    for part in location:
        if found is not None and part in found.model_fields:
            found = _section_of(found.model_fields[str(part)].annotation)
    return [] if found is None else list(found.model_fields)


def _section_of(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        found = _section_of(argument)
        if found is not None:
            return found
    return None
