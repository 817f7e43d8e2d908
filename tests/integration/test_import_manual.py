"""docs/import.md does what it says: its tutorial runs, its fragments are valid, and it leaves nothing out."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, run_import
from ltc_events.importing.certainty import READERS
from ltc_events.importing.documents import ENVELOPE
from ltc_events.importing.mapping import ControlSection, MappingFile, PolicySection, Section, SourceSection, StepHead
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
    for name in ("sales.csv", "lines.csv"):
        (tmp_path / name).write_text(block(name), encoding="utf-8")
    for _, name, text in BLOCKS:
        if name.endswith((".toml", ".sql")):
            path = tmp_path / "till" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(text)

    def run(**options: Any) -> Reconciliation:
        return run_import(tmp_path / "till", tmp_path, event_store, SystemClock(), **options)

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
        MappingFile.model_validate(tomllib.loads(fragment))
    assert {detail["type"] for detail in lacking.value.errors()} == {"missing"}


@pytest.mark.parametrize("section", [MappingFile, SourceSection, PolicySection, ControlSection, StepHead])
def test_every_key_is_explained(section: type[Section]) -> None:
    explained = set(re.findall(r"`\[*([a-z_]+)(?:\.NAME)?\]*`", MANUAL))
    assert set(section.model_fields) <= explained


def test_every_function_is_explained() -> None:
    """The functions are those of the SQL file that have a name of their own in the manual's table."""
    explained = set(re.findall(r"^\| `(ltc_[a-z]+)\(", MANUAL, re.MULTILINE))
    assert explained >= READERS
    assert explained - READERS == {"ltc_id", "ltc_round", "ltc_code"}


def test_every_column_of_a_step_is_explained() -> None:
    assert all(f"| `{column}` |" in MANUAL for column in ENVELOPE)
