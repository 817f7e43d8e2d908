"""docs/import-story.md does what it says, month by month."""

import json
import re
from pathlib import Path
from typing import Any

from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.importing import Reconciliation, run_import
from ltc_events.importing.undo import undo, undoing
from ltc_events.store import EventStore

STORY = (Path(__file__).parents[2] / "docs" / "import-story.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', STORY, re.MULTILINE | re.DOTALL))


def told(result: Reconciliation) -> dict[str, Any]:
    """What the story shows of a reconciliation."""
    [control] = result.controls
    commands = {type: count for type, count in result.commands.items() if type != "policy.publish.v1"}
    return {
        "accepted": {type: count.accepted for type, count in sorted(commands.items()) if count.accepted},
        "unchanged": sum(count.unchanged for count in commands.values()),
        "refused": [row.code for row in result.refused_rows],
        "vanished": [one.name for one in result.vanished],
        "pipeline": [str(control.source), str(control.ledger)],
    }


def test_the_story_comes_out_as_it_says(tmp_path: Path, event_store: EventStore) -> None:
    for name, text in BLOCKS.items():
        if name.endswith((".toml", ".sql")):
            path = tmp_path / "deals" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    def month(name: str) -> Reconciliation:
        (tmp_path / "deals.csv").write_text(BLOCKS[f"{name}.csv"], encoding="utf-8")
        return run_import(tmp_path / "deals", tmp_path, event_store, SystemClock())

    assert told(month("january")) == json.loads(BLOCKS["after january"])
    assert told(month("january, corrected")) == json.loads(BLOCKS["after january, corrected"])
    february = month("february")
    assert told(february) == json.loads(BLOCKS["after february"])
    head = event_store.head()
    assert told(month("february")) == json.loads(BLOCKS["february again"])
    assert told(month("january, corrected")) == json.loads(BLOCKS["january, corrected, again"])
    assert event_store.head() == head
    plan = undoing(event_store, february.run)
    commands = [one["type"].removeprefix("ltc.") for one in plan.commands]
    assert {"commands": commands, "stays": dict(plan.stays)} == json.loads(BLOCKS["undo"])
    assert undo(CommandPipeline(event_store, SystemClock()), plan).refused == []
