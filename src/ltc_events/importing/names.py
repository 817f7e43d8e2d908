"""What names mean in a mapping: per file its columns, values and links, each in a slot of the file's rows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ltc_events.importing.columns import KINDS, column_reader
from ltc_events.importing.errors import BadValue, MappingInvalid, RowRefused
from ltc_events.importing.expressions import Scope, compile_expression
from ltc_events.importing.kinds import BOOLEAN, EMPTY, INTEGER, NUMBERS, TEXT, BadFormula, Expression, Kind
from ltc_events.importing.mapping import RESERVED, Column, File, Link, invalid, nearest, zone
from ltc_events.importing.mapping import Mapping as MappingFile
from ltc_events.importing.source import Getter, Row, Source, shown

Found = tuple[Callable[[Any], Any], Kind]


class Names:
    """All files' names. Values and links are compiled when first needed, which finds those that go in circles."""

    def __init__(self, mapping: MappingFile, label: str, sources: Mapping[str, Source]) -> None:
        self.mapping = mapping
        self.namespace = mapping.namespace
        self.constants: dict[str, Found] = {name: _constant(value) for name, value in mapping.constants.items()}
        self._label = label
        self._sources = sources
        self._slots: dict[str, dict[str, int]] = {}
        self._kinds: dict[tuple[str, str], Kind] = {}
        self._compiling: list[tuple[str, str]] = []
        for name, file in mapping.files.items():
            self._slots[name] = self._lay_out(name, file)
        for name, file in mapping.files.items():
            for member in (*file.values, *file.links):
                self.member(name, member)

    def member(self, file: str, name: str) -> tuple[int, Kind] | None:
        """The slot and kind of a name of a file's rows."""
        slot = self._slots[file].get(name)
        if slot is None:
            return None
        kind = self._kinds.get((file, name))
        return slot, kind if kind is not None else self._compile(file, name, slot)

    def members(self, file: str) -> list[str]:
        """The names of a file's rows."""
        return list(self._slots[file])

    def source(self, file: str) -> Source:
        """The open file of this name."""
        return self._sources[file]

    def locate(self, where: str, error: BadFormula) -> MappingInvalid:
        """The error of the mapping that a bad expression is."""
        return invalid(self._label, where, error.problem, error.fix)

    def _lay_out(self, name: str, file: File) -> dict[str, int]:
        """Give each name of a file its slot; columns are ready at once."""
        slots: dict[str, int] = {}
        for section, members in (("columns", file.columns), ("values", file.values), ("links", file.links)):
            for member in members:
                where = f"files.{name}.{section}.{member}"
                if member in RESERVED:
                    raise invalid(self._label, where, f"{member} means something else in expressions", "choose another name")
                if member in slots:
                    raise invalid(self._label, where, f"{member} stands twice in files.{name}", "choose another name")
                slots[member] = len(slots)
        source = self._sources[name]
        source.getters = [_not_ready] * len(slots)
        for member, column in file.columns.items():
            try:
                source.getters[slots[member]] = self._column(source, column)
            except BadFormula as error:
                raise self.locate(f"files.{name}.columns.{member}", error) from error
            self._kinds[name, member] = KINDS[column.type]
        return slots

    def _column(self, source: Source, column: Column) -> Getter:
        place, heading = _place(column.column, source)
        mapping = self.mapping
        read = column_reader(column, mapping.formats, mapping.maps, zone(column.timezone or mapping.timezone))
        cell = source.cell

        def get(row: Row) -> Any:
            try:
                return read(row.fields[place])
            except (BadValue, IndexError) as error:
                raise cell(row, place, heading, error) from error

        return get

    def _compile(self, file: str, name: str, slot: int) -> Kind:
        """Compile a value or a link."""
        if (file, name) in self._compiling:
            circle = " → ".join(f"{one}.{other}" for one, other in (*self._compiling, (file, name)))
            raise BadFormula(f"{name} goes in a circle: {circle}", "work one of them out from columns alone")
        source, section = self._sources[file], self.mapping.files[file]
        link = section.links.get(name)
        where = f"files.{file}.{'values' if link is None else 'links'}.{name}"
        self._compiling.append((file, name))
        try:
            if link is None:
                expression = compile_expression(section.values[name], FileScope(self, file))
                getter, kind = _refusing(source, expression), expression.kind
            else:
                getter, kind = self._link(file, name, link)
        except BadFormula as error:
            raise self.locate(where, error) from error
        finally:
            self._compiling.pop()
        source.getters[slot] = getter
        self._kinds[file, name] = kind
        return kind

    def _link(self, file: str, name: str, link: Link) -> tuple[Getter, Kind]:
        if link.file not in self._sources:
            raise BadFormula(f"file: there is no files.{link.file}", nearest(link.file, list(self._sources)))
        if len(link.by) != len(link.equals):
            raise BadFormula(f"by has {len(link.by)} names, equals has {len(link.equals)} expressions", "give as many of each")
        scope = FileScope(self, file)
        equals = [compile_expression(text, scope) for text in link.equals]
        slots = []
        for column, expression in zip(link.by, equals, strict=True):
            found = self.member(link.file, column)
            if found is None:
                raise BadFormula(f"by: there is no {column} in files.{link.file}", nearest(column, self.members(link.file)))
            slots.append(found[0])
            _comparable(column, found[1], expression)
        target = self._sources[link.file]
        kind = Kind("rows" if link.many else "row", link.file)
        return _linker(self._sources[file], target, tuple(slots), equals, link), kind


class FileScope:
    """Within a file: its own names, and the constants."""

    def __init__(self, names: Names, file: str) -> None:
        self._names = names
        self._file = file
        self.namespace = names.namespace

    def resolve(self, name: str) -> Found | None:
        """What a bare name stands for."""
        if name == "line_number":
            return (lambda row: row.line), INTEGER
        member = self._names.member(self._file, name)
        if member is None:
            return self._names.constants.get(name)
        slot, kind = member
        return (lambda row: row[slot]), kind

    def names(self) -> list[str]:
        """All bare names."""
        return [*self._names.members(self._file), *self._names.constants, "line_number"]

    def member(self, file: str, name: str) -> tuple[int, Kind] | None:
        """Where a row of `file` holds the value `name`."""
        return self._names.member(file, name)

    def members(self, file: str) -> list[str]:
        """All names that rows of `file` have."""
        return self._names.members(file)

    def inner(self, file: str) -> "ItemScope":
        """The scope of rows of `file` that are gone through within this one."""
        return ItemScope(self._names, file, self._file)


class ItemScope(FileScope):
    """Within rows that are gone through for another row: also `parent`, `index` (from 1) and `position` in the list made."""

    def __init__(self, names: Names, file: str, parent: str) -> None:
        super().__init__(names, file)
        self._parent = parent

    def resolve(self, name: str) -> Found | None:
        """What a bare name stands for."""
        match name:
            case "parent":
                return (lambda row: row.parent), Kind("row", self._parent)
            case "index":
                return (lambda row: row.index), INTEGER
            case "position":
                return (lambda row: row.position), INTEGER
            case _:
                return super().resolve(name)

    def names(self) -> list[str]:
        """All bare names."""
        return [*super().names(), "parent", "index", "position"]


class ConstantScope:
    """Where there is no row: the constants alone."""

    def __init__(self, names: Names) -> None:
        self._constants = names.constants
        self.namespace = names.namespace

    def resolve(self, name: str) -> Found | None:
        """What a bare name stands for."""
        return self._constants.get(name)

    def names(self) -> list[str]:
        """All bare names."""
        return list(self._constants) or ["no names: there are no constants"]

    def member(self, file: str, name: str) -> None:
        """There are no rows here."""

    def members(self, file: str) -> list[str]:
        """There are no rows here."""
        return []


def inner_scope(scope: Scope, file: str) -> Scope:
    """The scope of rows of `file` that are gone through within `scope`."""
    if not isinstance(scope, FileScope):
        raise BadFormula("there are no rows to go through here", "write the list out")
    return scope.inner(file)


def _constant(value: str | bool) -> Found:
    return (lambda _: value), BOOLEAN if isinstance(value, bool) else TEXT


def _not_ready(row: Row) -> Any:
    raise AssertionError(f"{row.source.name} has a slot that was never compiled")


def _place(column: str | int, source: Source) -> tuple[int, str]:
    """Where in a row a column stands, and what it is called."""
    header = source.file.header
    if isinstance(column, int):
        if column < 1 or (header and column > len(header)):
            raise BadFormula(f"{source.file.name} has no column {column}", f"columns count from 1 to {len(header)}")
        return column - 1, header[column - 1] if header else str(column)
    if not header:
        raise BadFormula(f"{source.file.name} has no header", "give the column's number, from 1")
    count = header.count(column)
    if count > 1:
        places = " and ".join(str(place) for place, name in enumerate(header, 1) if name == column)
        raise BadFormula(f"{source.file.name} has the column {column!r} more than once", f"give its number: {places}")
    if count == 0:
        raise BadFormula(f"{source.file.name} has no column {column!r}", nearest(column, [name for name in header if name]))
    return header.index(column), column


def _refusing(source: Source, expression: Expression) -> Getter:
    """A value whose failures name the row."""
    evaluate = expression.evaluate

    def get(row: Row) -> Any:
        try:
            return evaluate(row)
        except BadValue as error:
            raise source.refuse(row, error) from error

    return get


def _comparable(column: str, kind: Kind, expression: Expression) -> None:
    """A key of text never equals a number."""
    if expression.kind in (kind, EMPTY) or {expression.kind, kind} <= set(NUMBERS):
        return
    problem = f"{column} is {kind}, but {expression.text} is {expression.kind}"
    raise BadFormula(problem, "give both columns the same type")


def _linker(source: Source, target: Source, slots: tuple[int, ...], equals: Sequence[Expression], link: Link) -> Getter:
    evaluate = [expression.evaluate for expression in equals]
    asked = ", ".join(expression.text for expression in equals)
    wanted = ", ".join(link.by)

    def rows_of(row: Row) -> list[Row]:
        try:
            return target.index(slots).find([value(row) for value in evaluate])
        except BadValue as error:
            raise source.refuse(row, error) from error

    def refusal(row: Row, code: str, reason: str, fix: str) -> RowRefused:
        value = shown([value(row) for value in evaluate])
        reason = f"{reason} of {target.file.name} has {wanted} = {value}"
        return RowRefused(source.file.name, row.line, code, reason, fix, column=asked, value=value)

    def row_of(row: Row) -> Row | None:
        rows = rows_of(row)
        if len(rows) == 1 or (rows and link.pick == "first"):
            return rows[0]
        if rows and link.pick == "last":
            return rows[-1]
        if rows:
            lines = ", ".join(str(one.line) for one in rows[:5])
            raise refusal(
                row, "ambiguous_link", f"more than one row (lines {lines})", 'link by more columns, or set pick = "first"'
            )
        if link.optional:
            return None
        raise refusal(row, "missing_link", "no row", "complete that file, or set optional = true and say what to do without it")

    return rows_of if link.many else row_of
