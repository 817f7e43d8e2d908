"""The net effect of several pages of the log on one table, kept in memory until it is written."""

from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, TypeAlias

from ltc_events.projections.declaration.errors import OperationInvalid
from ltc_events.projections.declaration.projection import Operation, Projection, Put
from ltc_events.projections.writing.net_effect import Net, fold
from ltc_events.projections.writing.pg_text import MARK, csv

Row: TypeAlias = tuple[Any, ...]

_KEY, _VALUES = attrgetter("key"), attrgetter("values")


class Shape:
    """How operations have to fit a table; what was seen to fit is known again."""

    def __init__(self, projection: type[Projection]) -> None:
        self.table = projection.table
        self.append_only = projection.append_only
        self.columns = tuple(projection.columns)
        self.types = [column.type for column in projection.columns.values()]
        self._key = projection.key
        self._values = tuple(name for name in self.columns if name not in projection.key)
        self._is_key_first = self.columns == (*self._key, *self._values)
        self._pick = itemgetter(*self._values) if self._is_key_first and len(self._values) > 1 else None

    def check(self, key_length: int, columns: Iterable[str]) -> None:
        """Raises OperationInvalid unless there are such columns, and so many of the key."""
        if key_length != len(self._key):
            problem = f"the key is ({', '.join(self._key)}), not {key_length} values"
            raise OperationInvalid(table=self.table, problem=problem)
        for name in columns:
            if name not in self._values:
                problem = f"{name} is part of the key" if name in self._key else f"there is no column {name}"
                raise OperationInvalid(table=self.table, problem=problem)

    def rows(self, operations: Sequence[Operation]) -> list[Row]:
        """The rows that these add to a table that is only added to: MARK, then all columns in order."""
        pick = self._pick
        if pick is not None and self._are_whole(operations):
            try:
                return [(MARK, *operation.key, *pick(operation.values)) for operation in operations]  # type: ignore[union-attr]
            except KeyError:
                pass  # as many columns as there are, but others
        return list(map(self._row, operations))

    def _are_whole(self, operations: Sequence[Operation]) -> bool:
        """Whether all of them are Put with as many columns as there are."""
        return (
            set(map(type, operations)) == {Put}
            and set(map(len, map(_KEY, operations))) == {len(self._key)}
            and set(map(len, map(_VALUES, operations))) == {len(self._values)}
        )

    def _row(self, operation: Operation) -> Row:
        if not isinstance(operation, Put):
            raise OperationInvalid(table=self.table, problem=f"{operation!r} on an append_only table")
        self.check(len(operation.key), operation.values)
        row = dict(zip(self._key, operation.key, strict=True)) | operation.values
        return (MARK, *map(row.get, self.columns))


class WriteBuffer:
    """Net effects by key, or of a table that is only added to, its rows: as text, and those that have to be packed."""

    __slots__ = ("_shape", "net", "rows", "texts")

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.net: Net = {}
        self.texts: list[bytes] = []
        self.rows: list[Row] = []

    def add(self, operations: Sequence[Operation]) -> None:
        """Take in the operations of the next events; raises OperationInvalid."""
        if not operations:
            return
        if not self._shape.append_only:
            fold(operations, self.net)
            return
        rows = self._shape.rows(operations)
        text = csv(self._shape.types, rows)
        if text is None:
            self.rows += rows
        else:
            self.texts.append(text)
