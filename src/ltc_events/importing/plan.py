"""A mapping made ready to run on a folder: files opened, names resolved, everything compiled. Finds every mistake it can here."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from ltc_events.importing.commands import Document, Emitter, Envelope, compile_emit, compile_prelude
from ltc_events.importing.csvfile import CsvFile, Dialect
from ltc_events.importing.errors import BadValue, DataUnusable, RowRefused
from ltc_events.importing.expressions import compile_expression, truth
from ltc_events.importing.kinds import BadFormula
from ltc_events.importing.ledger import EventTotal, event_total
from ltc_events.importing.mapping import Control, File, Guard, Mapping, Step, load_mapping, nearest, zone
from ltc_events.importing.names import ConstantScope, FileScope, Names
from ltc_events.importing.source import Row, Source
from ltc_events.importing.templates import compile_template


class CompiledGuard(NamedTuple):
    """When a row is left out. `reason` is for a row."""

    applies: Callable[[Row], bool]
    reason: Callable[[Row], Any]
    fix: str


class CompiledStep(NamedTuple):
    """One pass over a file."""

    source: Source
    sort_key: Callable[[Row], Any] | None
    skip: list[CompiledGuard]
    refuse: list[CompiledGuard]
    emitters: list[Emitter]

    def check(self, row: Row) -> None:
        """Raises BadValue for a row that the mapping refuses."""
        for guard in self.refuse:
            if guard.applies(row):
                raise BadValue("refused_by_mapping", str(guard.reason(row)), guard.fix)


class CompiledControl(NamedTuple):
    """One control total: which rows count, with how much (None: each as one), and which events stand against them."""

    control: Control
    currency: str | None
    event_total: EventTotal
    source: Source
    applies: Callable[[Row], bool] | None
    amount: Callable[[Row], Any] | None


@dataclass(frozen=True)
class Plan:
    """What an import is going to do."""

    mapping: Mapping
    sources: dict[str, Source]
    prelude: list[Document]
    steps: list[CompiledStep]
    controls: list[CompiledControl]


def prepare(mapping_path: Path, folder: Path, stack: ExitStack) -> Plan:
    """Read and compile a mapping for the files of `folder`, which `stack` will close. Raises MappingInvalid or DataUnusable."""
    mapping = load_mapping(mapping_path)
    sources = {name: _open(mapping, name, file, folder, stack) for name, file in mapping.files.items()}
    return _Compiler(mapping, mapping_path.name, sources).plan()


class _Compiler:
    def __init__(self, mapping: Mapping, label: str, sources: dict[str, Source]) -> None:
        self._mapping = mapping
        self._sources = sources
        self._names = Names(mapping, label, sources)
        self._envelope = Envelope(mapping.namespace, mapping.source, mapping.actor, zone(mapping.timezone))

    def plan(self) -> Plan:
        """All sections of the mapping, compiled."""
        mapping = self._mapping
        constants = ConstantScope(self._names)
        prelude = [
            self._at(f"prelude[{number}] {one.command}", compile_prelude, one, constants, self._envelope)
            for number, one in enumerate(mapping.prelude, 1)
        ]
        steps = [self._step(number, step) for number, step in enumerate(mapping.steps, 1)]
        controls = [
            self._at(f"controls[{number}] {control.name}", self._control, control)
            for number, control in enumerate(mapping.controls, 1)
        ]
        return Plan(mapping, self._sources, prelude, steps, controls)

    def _step(self, number: int, step: Step) -> CompiledStep:
        where = f"steps[{number}]"
        self._at(f"{where}.file", self._known, step.file)
        where = f"{where} ({step.file})"
        scope = FileScope(self._names, step.file)
        emitters = [
            self._at(f"{where}.emit[{place}] {emit.command}", compile_emit, emit, step, scope, self._envelope)
            for place, emit in enumerate(step.emit, 1)
        ]
        sort_key = None
        if step.order_by is not None:
            sort_key = self._at(f"{where}.order_by", compile_expression, step.order_by, scope).evaluate
        return CompiledStep(
            self._sources[step.file],
            sort_key,
            self._guards(f"{where}.skip", step.skip, scope),
            self._guards(f"{where}.refuse", step.refuse, scope),
            emitters,
        )

    def _guards(self, where: str, guards: Sequence[Guard], scope: FileScope) -> list[CompiledGuard]:
        return [self._at(f"{where}[{place}]", _guard, guard, scope) for place, guard in enumerate(guards, 1)]

    def _control(self, control: Control) -> CompiledControl:
        self._known(control.file)
        scope = FileScope(self._names, control.file)
        applies = None if control.when is None else truth(compile_expression(control.when, scope))
        amount = None if control.sum is None else compile_expression(control.sum, scope).evaluate
        currency = control.currency or (self._mapping.currency if control.field else None)
        return CompiledControl(control, currency, event_total(control, currency), self._sources[control.file], applies, amount)

    def _known(self, file: str) -> None:
        if file not in self._sources:
            raise BadFormula(f"there is no files.{file}", nearest(file, list(self._sources)))

    def _at(self, where: str, compile: Callable[..., Any], *arguments: Any) -> Any:
        """Compile something; a mistake in it is one of the mapping at `where`."""
        try:
            return compile(*arguments)
        except BadFormula as error:
            raise self._names.locate(where, error) from error


def _guard(guard: Guard, scope: FileScope) -> CompiledGuard:
    applies = truth(compile_expression(guard.when, scope))
    return CompiledGuard(applies, compile_template(guard.reason, scope).evaluate, guard.fix)


def _open(mapping: Mapping, name: str, file: File, folder: Path, stack: ExitStack) -> Source:
    path = folder / file.path
    if not path.resolve().is_relative_to(folder.resolve()):
        problem = f"files.{name}: it is not in {folder}, or a link that leads out of it"
        raise DataUnusable(file=file.path, problem=problem, fix="put the file itself into the folder of the files")
    if not path.is_file():
        there = sorted(one.name for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []
        problem = f"files.{name}: there is no such file in {folder}"
        raise DataUnusable(
            file=file.path, problem=problem, fix=nearest(file.path, there) if there else "give the folder of the files"
        )
    dialect = Dialect(
        encoding=file.encoding or mapping.encoding,
        delimiter=file.delimiter or mapping.delimiter,
        quote=mapping.quote if file.quote is None else file.quote,
        skip_lines=file.skip_lines,
        header=file.header,
    )
    csv_file = CsvFile(path, dialect)
    stack.callback(csv_file.close)
    return Source(name, csv_file, pad_short_rows=file.short_rows == "pad", cut_long_rows=file.long_rows == "cut")


def rows_in_order(step: CompiledStep) -> Iterator[Row | RowRefused]:
    """The rows of a step: in the file's order, or sorted; rows without a readable sort key come last."""
    if step.sort_key is None:
        yield from step.source.rows()
        return
    keyed: list[tuple[Any, int]] = []
    rest: list[int | RowRefused] = []
    for row in step.source.rows():
        if isinstance(row, RowRefused):
            rest.append(row)
            continue
        try:
            key = step.sort_key(row)
        except (BadValue, RowRefused):
            key = None
        if key is None:
            rest.append(row.ordinal)
        else:
            keyed.append((key, row.ordinal))
    keyed.sort()
    for _, ordinal in keyed:
        yield step.source.row(ordinal)
    for one in rest:
        yield one if isinstance(one, RowRefused) else step.source.row(one)
