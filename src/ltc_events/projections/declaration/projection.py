"""How a read table is declared: its columns with their meaning, its key, and one handler per event type.

```python
class OpenItems(Projection):
    \"\"\"What is still open, one row per instalment of an invoice.\"\"\"

    table, version, key = "open_items", 1, ("invoice_id", "instalment")
    columns = {
        "invoice_id": column("uuid", "the invoice"),
        "instalment": column("int4", "number of the instalment, from 1"),
        "invoiced": column("numeric", "amount due, in the currency of the invoice", default="0"),
    }

    @on(InvoiceIssued)
    def issued(self, event: InvoiceIssued, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, 1, invoiced=event.gross)
```

A handler is a function of the event alone: no clock, no reads, no state between events. So live, rebuilt and as-of tables are
equal.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias, TypeVar, get_args, overload

from ltc_events.projections.declaration.builds import Build, may_be_taken_for_build
from ltc_events.projections.declaration.errors import ProjectionMisdeclared
from ltc_events.projections.declaration.names import SCHEMA, TEMPORARY
from ltc_events.schemas.base import EVENTS, Event
from ltc_events.schemas.record import Record
from ltc_events.schemas.upcasting import UPCASTERS, becomes_several, stored_as

OnFailure: TypeAlias = Literal["stop", "skip", "park"]
"""What a table does at an event that it cannot take in.

`stop`: it goes no further, alone. `skip`: it goes on without the event. `park`: it goes on without the event's customer, whose
later events wait in order until somebody tries them again; it needs rows that events of one customer alone set (`Add` may be
for rows of all)."""
SqlType: TypeAlias = Literal["uuid", "int4", "int8", "text", "numeric", "date", "timestamptz", "bool", "jsonb"]
"""The types a column may have; jsonb takes any JSON value (amounts as strings), timestamptz an aware datetime."""
NUMBERS: frozenset[str] = frozenset({"int4", "int8", "numeric"})
"""The types that `Add` can add to."""
IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,49}")
# What marks the name of a table that was built anew; no declared name may look like one.


class Column(NamedTuple):
    """One column: SQL type, one-line meaning for the catalogue, and the SQL literal a row starts with (None: null)."""

    type: SqlType
    meaning: str
    default: str | None = None


def column(type: SqlType, meaning: str, *, default: str | None = None) -> Column:
    """Declare a column. A `default` is an SQL literal (`"0"`, `"'open'"`, `"false"`) and makes it NOT NULL."""
    return Column(type, meaning, default)


class Balance(NamedTuple):
    """A constraint: the database refuses an insert in which the amounts of an entry do not add up to zero, and any later change.

    An entry is the set of rows equal in these columns; one event must write it whole. `nullable` columns may be null, and nulls
    count as equal.
    """

    entry: tuple[str, ...]
    amount: str
    nullable: tuple[str, ...] = ()


class Put:
    """Set these columns of the row with this key; a new row has defaults in its other columns."""

    __slots__ = ("key", "values")

    def __init__(self, *key: Any, **values: Any) -> None:
        self.key = key
        self.values = values

    def __repr__(self) -> str:
        return f"Put({self.key}, {self.values})"


class Add:
    """Add to numeric columns of the row with this key (null counts as zero); a new row is made as by `Put`."""

    __slots__ = ("key", "values")

    def __init__(self, *key: Any, **values: Any) -> None:
        self.key = key
        self.values = values

    def __repr__(self) -> str:
        return f"Add({self.key}, {self.values})"


class Delete:
    """Remove the row with this key, if there is one."""

    __slots__ = ("key",)

    def __init__(self, *key: Any) -> None:
        self.key = key

    def __repr__(self) -> str:
        return f"Delete({self.key})"


Operation: TypeAlias = Put | Add | Delete
Handler: TypeAlias = Callable[[Any, Any, Record], Iterable[Operation]]

_A = TypeVar("_A", bound=Event)
_B = TypeVar("_B", bound=Event)
_C = TypeVar("_C", bound=Event)
_Method: TypeAlias = Callable[[Any, _A, Record], Iterable[Operation]]


@overload
def on(first: type[_A], /) -> Callable[[_Method[_A]], _Method[_A]]: ...
@overload
def on(first: type[_A], second: type[_B], /) -> Callable[[_Method[_A | _B]], _Method[_A | _B]]: ...
@overload
def on(first: type[_A], second: type[_B], third: type[_C], /) -> Callable[[_Method[_A | _B | _C]], _Method[_A | _B | _C]]: ...
@overload
def on(*events: type[Event]) -> Callable[[Handler], Handler]: ...
def on(*events: type[Event]) -> Callable[[Handler], Handler]:
    """Mark a method as the handler of these event types. It yields or returns the operations for each event."""

    def mark(handler: Handler) -> Handler:
        handler.handles = events  # type: ignore[attr-defined]
        return handler

    return mark


class Projection:
    """A read table and how events change it. Declare `table`, `version`, `key`, `columns`; see the module."""

    table: ClassVar[str] = ""
    version: ClassVar[int] = 0
    key: ClassVar[tuple[str, ...]] = ()
    columns: ClassVar[Mapping[str, Column]] = {}
    append_only: ClassVar[bool] = False
    """Rows are only ever inserted, each once: the key holds `position` and, where an event makes several, a line."""
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    balanced: ClassVar[Balance | None] = None
    checks: ClassVar[Mapping[str, str]] = {}
    """Conditions (SQL over `NEW`) that the database holds every written row to, by the name an operator will see."""
    changed: ClassVar[Mapping[str, str]] = {}
    """What this version means to hold otherwise than the one before: column, or `*` for rows that come or go, and why."""
    on_failure: ClassVar[OnFailure] = "stop"
    """What becomes of an event that cannot be taken in, see `OnFailure`."""
    build: ClassVar[int] = 0
    """Which table of this version: 0 is the first; the same version built anew counts on. See `built`."""
    schema: ClassVar[str] = SCHEMA
    """Where the table lives; a temporary one only while its session lasts."""

    handlers: ClassVar[Mapping[type[Event], Handler]] = {}
    """Made from the methods marked with `on`, once per class."""
    types: ClassVar[tuple[str, ...]] = ()
    """The stable names of the events handled, sorted."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not cls.table:  # a shared base
            return
        cls.handlers = _handlers(cls)
        cls.types = tuple(sorted(event.type for event in cls.handlers))
        for problem in _problems(cls):
            raise ProjectionMisdeclared(projection=cls.__qualname__, problem=problem)

    @classmethod
    def meaning(cls) -> str:
        """What the table holds, in one paragraph: the docstring."""
        return " ".join((cls.__doc__ or "").split())

    @classmethod
    def physical(cls) -> str:
        """The name of the table: `open_items__v1`, rebuilt `open_items_b1__v1`. Readers use the view, named `table`."""
        return build_of(cls).physical

    @classmethod
    def concerns(cls, type: str) -> bool:
        """Whether this projection may handle a stored event of this type.

        It does if upcasting makes a handled event of it, and if this program does not know the type, which may be a newer name
        of a handled one.
        """
        return type in stored_as(cls.types) or (type not in EVENTS and type not in UPCASTERS)

    @classmethod
    def place(cls) -> str:
        """The name under which its checkpoints and failures are stored: `open_items`, rebuilt `open_items_b1`."""
        return build_of(cls).place


def build_of(projection: type[Projection]) -> Build:
    """The build whose table this class writes."""
    return Build(projection.table, projection.version, projection.build)


def built(projection: type[Projection], build: int) -> type[Projection]:
    """The same projection on the table of another build."""
    return projection if build == projection.build else _variant(projection, build=build)


def temporary(projection: type[Projection]) -> type[Projection]:
    """The same projection on a temporary table."""
    return _variant(projection, schema=TEMPORARY)


def _variant(projection: type[Projection], **changes: Any) -> type[Projection]:
    return type(projection.__name__, (projection,), {"__doc__": projection.__doc__, **changes})


def _handlers(cls: type[Projection]) -> dict[type[Event], Handler]:
    found: dict[type[Event], Handler] = {}
    for name in dict.fromkeys(name for base in reversed(cls.__mro__) for name in vars(base)):
        method = getattr(cls, name)
        for event in getattr(method, "handles", ()):
            if event in found:
                raise ProjectionMisdeclared(
                    projection=cls.__qualname__, problem=f"{event.__name__} has two handlers, {name} is the second"
                )
            found[event] = method
    return found


def _problems(cls: type[Projection]) -> Iterator[str]:
    yield from _naming_problems(cls)
    yield from _reference_problems(cls)
    if cls.on_failure not in get_args(OnFailure):
        yield f"on_failure is {cls.on_failure!r}, not one of {', '.join(get_args(OnFailure))}"
    if cls.append_only and "position" not in cls.key:
        yield "append_only needs `position` in the key, so that every row is written once"
    several = becomes_several(cls.types) if cls.append_only and "part" not in cls.key else None
    if several:
        yield f"one {several} is told as several of the events it handles, so the key needs `part`, which records have"
    for name, declared in cls.columns.items():
        if cls.append_only and declared.default is not None:
            yield f"column {name} has a default, but rows of an append_only table are written whole"
    if cls.balanced and not cls.append_only:
        yield "balanced needs append_only: an entry is written whole and never changed"
    if cls.balanced and cls.columns[cls.balanced.amount].type not in NUMBERS:
        yield f"the balanced amount {cls.balanced.amount} is not a number"
    if not cls.handlers:
        yield "no handler: mark a method with @on(Event)"


def _naming_problems(cls: type[Projection]) -> Iterator[str]:
    if not IDENTIFIER.fullmatch(cls.table) or may_be_taken_for_build(cls.table):
        yield f"table {cls.table!r} is not a plain lower-case name"
    if cls.version < 1:
        yield "version starts at 1"
    if not cls.__doc__:
        yield "a docstring must say what a row is"
    for name, declared in cls.columns.items():
        if not IDENTIFIER.fullmatch(name):
            yield f"column {name!r} is not a plain lower-case name"
        if declared.type not in get_args(SqlType):
            yield f"column {name} has type {declared.type!r}, not one of {', '.join(get_args(SqlType))}"
        if not declared.meaning:
            yield f"column {name} has no meaning"
    for name in cls.changed:
        if name != "*" and name not in cls.columns:
            yield f"changed names column {name}, which is not declared"
    for name in cls.checks:
        if not IDENTIFIER.fullmatch(name):
            yield f"check {name!r} is not a plain lower-case name"
    for event in cls.handlers:
        if not event.type:
            yield f"{event.__name__} has no stable name"


def _reference_problems(cls: type[Projection]) -> Iterator[str]:
    if not cls.key:
        yield "no key"
    balance = (*cls.balanced.entry, cls.balanced.amount) if cls.balanced else ()
    for where, names in (("key", cls.key), *(("index", index) for index in cls.indexes), ("balanced", balance)):
        for name in names:
            if name not in cls.columns:
                yield f"{where} names column {name}, which is not declared"
        if len(set(names)) < len(names):
            yield f"{where} names a column twice"
    for name in cls.key:
        if name in cls.columns and cls.columns[name].default is not None:
            yield f"key column {name} has a default: a key is always given"
