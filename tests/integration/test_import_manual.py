"""docs/import.md does what it says: its tutorial runs, its fragments are valid, and it leaves nothing out."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, ValidationError

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, run_import
from ltc_events.importing.functions import FUNCTIONS
from ltc_events.importing.mapping import Column, Control, Emit, File, Formats, Link, Mapping, Prelude, Section, Step
from ltc_events.store import EventStore

MANUAL = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', MANUAL, re.MULTILINE | re.DOTALL)
FRAGMENTS = [text for language, title, text in BLOCKS if language == "toml" and not title]


def block(title: str) -> str:
    """All blocks of this title, one behind the other."""
    return "".join(text for _, named, text in BLOCKS if named == title)


def summary(result: Reconciliation) -> dict[str, Any]:
    """What the tutorial shows of a reconciliation."""
    ids = re.compile(r"[0-9a-f-]{36}")
    return {
        "commands": {type: count.accepted for type, count in result.commands.items()},
        "refused": [[row.file, row.line, row.command, row.code, ids.sub("…", row.reason)] for row in result.refused_rows],
        "controls": [[control.name, str(control.source), str(control.ledger)] for control in result.controls],
    }


def test_the_tutorial_comes_out_as_it_says(tmp_path: Path, event_store: EventStore) -> None:
    for name in ("sales.csv", "lines.csv", "till.toml"):
        (tmp_path / name).write_text(block(name), encoding="utf-8")

    def run(**options: Any) -> Reconciliation:
        return run_import(tmp_path / "till.toml", tmp_path, event_store, SystemClock(), **options)

    assert summary(run(dry_run=True)) == json.loads(block("reconciliation"))
    assert event_store.head()[0] == 0
    mended = block("sales.csv").replace("30.02.2024", "29.02.2024").replace("card;90,00", "card;89,00")
    (tmp_path / "sales.csv").write_text(mended, encoding="utf-8")
    result = run()
    assert summary(result) == json.loads(block("reconciliation after the mistakes were mended"))
    assert result.balanced
    head = event_store.head()
    again = run()
    assert event_store.head() == head
    assert all(count.duplicate == count.sent for count in again.commands.values())


@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_fragments_are_parts_of_mappings(fragment: str) -> None:
    """A fragment lacks what its mapping would have around it, and has no other mistake."""
    with pytest.raises(ValidationError) as lacking:
        Mapping.model_validate(tomllib.loads(fragment))
    assert {detail["type"] for detail in lacking.value.errors()} == {"missing"}


@pytest.mark.parametrize("section", [Mapping, File, Column, Link, Formats, Prelude, Step, Emit, Control])
def test_every_key_is_explained(section: type[Section]) -> None:
    explained = set(re.findall(r"`\[*([a-z_]+)(?:\.NAME)?\]*`", MANUAL)) | {"number", "date", "time", "strip"}
    assert set(section.model_fields) <= explained


def test_every_function_is_explained() -> None:
    rows = [f"| `{function.usage}` | {function.meaning} |" for function in FUNCTIONS.values()]
    assert all(row in MANUAL for row in rows)
    assert MANUAL.count("| `") > len(rows)


def test_sections_are_what_the_models_say() -> None:
    """Whoever adds a section to mappings is reminded of the manual."""

    def sections(model: type[BaseModel]) -> set[type[BaseModel]]:
        inner = {one for field in model.model_fields.values() for one in _models(field.annotation)}
        return {model, *(found for one in inner for found in sections(one))}

    names = {model.__name__ for model in sections(Mapping)}
    assert names == {"Mapping", "File", "Column", "Link", "Formats", "Prelude", "Step", "Emit", "Guard", "Control"}


def _models(annotation: Any) -> set[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return {model for argument in get_args(annotation) for model in _models(argument)}
