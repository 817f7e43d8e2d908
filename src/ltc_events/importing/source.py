"""The files of an import while it runs: rows whose values are read when first asked for, and links from row to row."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ltc_events.importing.csvfile import CsvFile, RawRow
from ltc_events.importing.errors import BadValue, RowRefused
from ltc_events.importing.kinds import as_text

ROWS_KEPT_MAX = 2_000
_UNREAD: Any = object()
_HASH_MASK = (1 << 64) - 1


class Row:
    """One row of a file. `row[slot]` is a column's value, a value worked out, or linked rows; read once, then kept.

    While it is gone through for another row, that one is its `parent`, `siblings` are all that are gone through with it,
    `index` its number among them and `position` that of what is made of it, both from 1.
    """

    __slots__ = ("fields", "index", "line", "ordinal", "parent", "position", "siblings", "source", "values")

    def __init__(self, source: "Source", raw: RawRow) -> None:
        self.source = source
        self.ordinal, self.line, self.fields, _ = raw
        self.values = [_UNREAD] * len(source.getters)
        self.parent: Row | None = None
        self.siblings: Sequence[Row] = ()
        self.index = 0
        self.position = 0

    def __getitem__(self, slot: int) -> Any:
        value = self.values[slot]
        if value is _UNREAD:
            value = self.values[slot] = self.source.getters[slot](self)
        return value


def go_through(rows: Sequence[Row], parent: Row) -> Iterator[Row]:
    """The rows one by one, each knowing where it stands."""
    for index, row in enumerate(rows, 1):
        row.parent, row.siblings, row.index, row.position = parent, rows, index, index
        yield row


Getter = Callable[[Row], Any]


class Source:
    """One open file with what each slot of its rows means. Raises RowRefused for a row that cannot be read."""

    def __init__(self, name: str, file: CsvFile, *, pad_short_rows: bool = False, cut_long_rows: bool = False) -> None:
        self.name = name
        self.file = file
        self.getters: list[Getter] = []
        self.used = bytearray()
        self._width = len(file.header)
        self._pad_short = pad_short_rows
        self._cut_long = cut_long_rows
        self._kept: dict[int, Row] = {}
        self._indexes: dict[tuple[int, ...], Index] = {}

    def rows(self) -> Iterator[Row | RowRefused]:
        """All rows in the file's order; a refusal in the place of one that is no row of this file's."""
        for raw in self.file.rows():
            try:
                yield self._row(raw)
            except RowRefused as refusal:
                yield refusal

    def row(self, ordinal: int) -> Row:
        """One row again. Only after a complete pass."""
        row = self._kept.get(ordinal)
        if row is None:
            if len(self._kept) >= ROWS_KEPT_MAX:
                self._kept.clear()
            row = self._kept[ordinal] = self._row(self.file.row(ordinal))
        return row

    def use(self, ordinal: int) -> None:
        """Note that a row had a part in the import."""
        byte, bit = divmod(ordinal, 8)
        if byte >= len(self.used):
            self.used.extend(bytes(max(byte + 1, self.file.row_count // 8 + 1) - len(self.used)))
        self.used[byte] |= 1 << bit

    @property
    def used_count(self) -> int:
        """How many rows had a part in the import."""
        return int.from_bytes(self.used, "little").bit_count()

    def index(self, slots: tuple[int, ...]) -> "Index":
        """The index of the rows by these slots, made when first asked for."""
        index = self._indexes.get(slots)
        if index is None:
            index = self._indexes[slots] = Index(self, slots)
        return index

    def cell(self, row: Row, place: int, column: str, error: BadValue | IndexError) -> RowRefused:
        """The refusal of a row for a cell that cannot be read, or that it does not have."""
        if isinstance(error, IndexError):
            reason = f"the row has {len(row.fields)} fields, too few for this column"
            return RowRefused(self.file.name, row.line, "wrong_width", reason, "correct the row", column=column)
        value = row.fields[place]
        return RowRefused(self.file.name, row.line, error.code, error.reason, error.fix, column=column, value=value)

    def refuse(self, row: Row, error: BadValue) -> RowRefused:
        """A refusal of one of these rows."""
        return RowRefused(self.file.name, row.line, error.code, error.reason, error.fix, column=error.column)

    def _row(self, raw: RawRow) -> Row:
        if raw.problem is not None:
            raise RowRefused(self.file.name, raw.line, *raw.problem)
        found = len(raw.fields)
        if self._width and found != self._width:
            if found < self._width and self._pad_short:
                raw.fields.extend([""] * (self._width - found))
            elif found < self._width or not self._cut_long or any(raw.fields[self._width :]):
                reason = f"the row has {found} fields where the header has {self._width}"
                fix = "correct the row, where a separator is missing or unquoted; or set short_rows or long_rows in the mapping"
                raise RowRefused(self.file.name, raw.line, "wrong_width", reason, fix)
        return Row(self, raw)


class Index:
    """Where the rows with a key are: sixteen bytes a row, so that files of any usual size fit."""

    def __init__(self, source: Source, slots: tuple[int, ...]) -> None:
        self._source = source
        self._slots = slots
        entries = []
        for row in source.rows():
            if isinstance(row, RowRefused):
                continue
            try:
                key = self._key([row[slot] for slot in slots])
            except RowRefused:
                continue  # nobody can mean a row by a key it does not have; its own step refuses it
            if key is not None:
                entries.append((hash(key) & _HASH_MASK) << 64 | row.ordinal)
        entries.sort()
        self._hashes = array("Q", (entry >> 64 for entry in entries))
        self._ordinals = array("Q", (entry & _HASH_MASK for entry in entries))

    def find(self, values: Sequence[Any]) -> list[Row]:
        """The rows whose slots hold these values, in the file's order."""
        key = self._key(values)
        if key is None:
            return []
        wanted = hash(key) & _HASH_MASK
        place = bisect_left(self._hashes, wanted)
        rows = []
        while place < len(self._hashes) and self._hashes[place] == wanted:
            row = self._source.row(self._ordinals[place])
            if self._key([row[slot] for slot in self._slots]) == key:
                self._source.use(row.ordinal)
                rows.append(row)
            place += 1
        return rows

    @staticmethod
    def _key(values: Sequence[Any]) -> tuple[Any, ...] | None:
        return None if None in values else tuple(values)


def shown(values: Sequence[Any]) -> str:
    """Key values for a message."""
    return ", ".join(map(as_text, values))
