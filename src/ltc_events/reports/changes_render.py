"""Changes of a report as JSON, CSV and text, written while they are read."""

import csv
from typing import Any, TextIO

import orjson
from rich.console import Console
from rich.text import Text

from ltc_events.kernel.output_escaping import csv_cell
from ltc_events.reports.as_of import AsOf
from ltc_events.reports.changes import Change, Changes
from ltc_events.reports.render import write_document
from ltc_events.reports.values import json_value

_SIGNS = {"added": "+", "gone": "−", "changed": "~"}
_STYLES = {"added": "green", "gone": "red", "changed": "yellow"}


def write_changes_json(changes: Changes, stream: TextIO) -> None:
    """One JSON document. Each row has its `key`, the `columns` that differ with both values, and the events in between."""
    head = {
        "report": changes.report.name,
        "as_of": changes.now.as_of.isoformat(),
        "changed_since": {"position": changes.then.position, "known_at": json_value(changes.then.known_at)},
        "known_at": json_value(changes.now.known_at),
        "position": changes.now.position,
        "parameters": {name: json_value(value) for name, value in changes.parameters.items()},
        "columns": [{"name": column.name, "type": column.type.value} for column in changes.columns],
        "key": changes.key,
    }
    rows = (
        {
            "change": one.kind,
            "key": {name: one.row[name] for name in changes.key},
            "columns": {name: {"then": then, "now": now} for name, (then, now) in one.columns.items()},
            "event_count": one.event_count,
            "events": one.events,
        }
        for one in changes.rows
    )
    write_document(stream, head, "rows", rows, lambda: {"totals": changes.tally.totals()})


def write_changes_csv(changes: Changes, stream: TextIO) -> None:
    """A line per column that differs: change, key, column, value then, value now, events (position and type)."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["change", *changes.key, "column", "then", "now", "event_count", "events"])
    for one in changes.rows:
        key = [csv_cell(_text(one.row[name])) for name in changes.key]
        events = "; ".join(f"{event['position']} {event['type']}" for event in one.events)
        for name, (then, now) in one.columns.items():
            writer.writerow([one.kind, *key, name, csv_cell(_text(then)), csv_cell(_text(now)), one.event_count, events])


def write_changes_text(changes: Changes, console: Console) -> None:
    """As text: each row with its differences and events below it, and the totals of all changes at the end."""
    console.print(Text(f"{changes.report.title}: what changed", style="bold"))
    for one in changes.rows:
        console.print(_row_lines(changes, one), soft_wrap=True)
    totals = changes.tally.totals()
    counts = [f"{totals[kind]:,} rows {kind}" for kind in ("added", "gone", "changed")]
    console.print(Text(", ".join(counts) if any(totals[kind] for kind in _SIGNS) else "nothing is different", style="italic"))
    for name, difference in totals["difference"].items():
        grown = (
            [f"{amount} {currency}" for currency, amount in difference.items()] if isinstance(difference, dict) else [difference]
        )
        if any(one not in (0, "0") for one in grown):
            console.print(f"  {_words(name)}: {', '.join(_signed(one) for one in grown)}", markup=False, soft_wrap=True)
    basis = f"as of {changes.now.as_of}, between {_known(changes.then)} and {_known(changes.now)}"
    given = "".join(f", {name} {value}" for name, value in changes.parameters.items() if value is not None)
    console.print(Text(basis + given, style="dim"))


def _row_lines(changes: Changes, one: Change) -> Text:
    """The lines of a row: its key, its differences and its events."""
    said = [f"{_words(name)} {_text(one.row[name])}" for name in changes.key if one.row[name] is not None]
    # Ids alone tell people nothing: the first words of the row say what it is about.
    first = next((column.name for column in changes.columns if column.name not in changes.key), None)
    if first is not None and isinstance(one.row[first], str):
        said.insert(0, one.row[first])
    text = Text(f"{_SIGNS[one.kind]} {', '.join(said)}", style=_STYLES[one.kind])
    for name, (then, now) in one.columns.items():
        if name in changes.key:
            continue
        match one.kind:
            case "changed":
                text.append(f"\n    {_words(name)}: {_text(then) or '–'} → {_text(now) or '–'}", style="default")
            case _ if value := _text(now if one.kind == "added" else then):
                text.append(f"\n    {_words(name)}: {value}", style="default")
    if one.event_count > len(one.events):
        text.append(f"\n    {one.event_count:,} events; the newest:", style="dim")
    for event in one.events:
        recorded = event["recorded_at"][:16].replace("T", " ")
        text.append(
            f"\n    {event['effective_on']} #{event['position']} {event['type']}, recorded {recorded} UTC"
            f" by {event['actor']}: {event['summary']}",
            style="dim",
        )
    return text


def _known(known: AsOf) -> str:
    return f"position {known.position:,}" + (f" ({known.known_at:%Y-%m-%d %H:%M} UTC)" if known.known_at else "")


def _signed(value: Any) -> str:
    text = str(value)
    return text if text.startswith("-") else f"+{text}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:
    """A JSON value as text; an empty string for null."""
    if value is None:
        return ""
    return value if isinstance(value, str) else orjson.dumps(value).decode()
