"""`ltc schema`: the published language as files, and the guard against breaking it."""

import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.markup import escape

from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, print_json
from ltc_events.schemas import upcasting
from ltc_events.schemas.compatibility import incompatibilities, narrowings
from ltc_events.schemas.export import exported
from ltc_events.store import UnreadableEvent
from ltc_events.store.decoding import decode

app = typer.Typer(help="JSON Schemas of all commands and events, and the AsyncAPI document of Kafka.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--dir", help="Folder of the exported schemas.")]
DEFAULT_FOLDER = Path("docs/schemas")
NARROWINGS = "narrowings.toml"
"""Beside the schemas: each narrowing of a command that was accepted, with its reason."""
GOLDEN_COMMANDS = "commands.json"
"""Beside a golden store: the schemas of commands as that release published them."""


@app.command()
def export(folder: Folder = DEFAULT_FOLDER) -> None:
    """Write a JSON Schema for each command and event, and an AsyncAPI document of how they go over Kafka.

    Schemas of older versions stay, as their events do. Exit 1, and nothing written, rather than an incompatible change.
    """
    from ltc_events.bus import asyncapi

    files = exported()
    problems = _problems(_read(folder), files, _accepted(folder)) if folder.is_dir() else []
    if problems:
        _print(problems)
        err.print(f"nothing is written; what was never released may be removed from {folder} first", markup=False)
        raise typer.Exit(1)
    for name, content in {**files, asyncapi.NAME: asyncapi.document()}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    err.print(f"{len(files)} schemas and {asyncapi.NAME} in {folder}")


@app.command()
def check(
    folder: Folder = DEFAULT_FOLDER,
    golden: Annotated[
        Path | None,
        typer.Option(help="Folder of golden stores: its */events.jsonl must be readable.", exists=True, file_okay=False),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Compare the code with the exported schemas. Exit 1 on an incompatible change, or when the export is not current."""
    from ltc_events.bus import asyncapi

    old = _read(folder)
    new = exported()
    old_wire, new_wire = old.pop(asyncapi.NAME, {}), asyncapi.document()
    accepted = _accepted(folder)
    problems = _problems(old, new, accepted) + asyncapi.incompatibilities(old_wire, new_wire)
    if golden:
        for log in sorted(golden.glob("*/events.jsonl")):
            problems += _unreadable(log)
        problems += _unlisted(golden, new, accepted)
    stale = sorted(name for name, schema in new.items() if old.get(name) != schema)
    if old_wire != new_wire:
        stale.append(asyncapi.NAME)
    if as_json:
        print_json({"compatible": not problems, "problems": problems, "stale": stale})
    else:
        _print(problems)
        if stale and not problems:
            err.print(f"[bold]not exported yet[/] {', '.join(stale)}; run `ltc schema export` and commit the result")
        if not problems and not stale:
            err.print(f"{len(new)} schemas and {asyncapi.NAME}, all as exported")
    if problems or stale:
        raise typer.Exit(1)


def _problems(old: dict[str, Any], new: dict[str, Any], accepted: Collection[str]) -> list[str]:
    types = {file: schema for file, schema in old.items() if "/" in file}
    return [*incompatibilities(types, new, upcasting.UPCASTERS, accepted), *upcasting.problems()]


def _accepted(folder: Path) -> frozenset[str]:
    """The narrowings that are accepted, each in the words in which it is found. Those without a reason are not."""
    path = folder / NARROWINGS
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("narrowing", []) if path.exists() else []
    return frozenset(change for entry in entries if entry["reason"].strip() for change in entry["changes"])


def _unlisted(golden: Path, new: dict[str, Any], accepted: Collection[str]) -> Iterator[str]:
    """Hold the list against the releases: what was narrowed since is on it, and nothing else is."""
    found: set[str] = set()
    for path in sorted(golden.glob(f"*/{GOLDEN_COMMANDS}")):
        released = orjson.loads(path.read_bytes())
        found.update(narrowings(released, new))
        yield from (f"since {path.parent.name}: {one}" for one in incompatibilities(released, new, (), accepted))
    if found:
        yield from (f"{NARROWINGS} accepts what is not so: {one}" for one in sorted(set(accepted) - found))


def _unreadable(log: Path) -> list[str]:
    """The stored events that this program cannot read, one of each kind."""
    found: dict[tuple[str, str], str] = {}
    with log.open("rb") as lines:
        for line in lines:
            event = orjson.loads(line)
            try:
                decode(event["type"], event["data"].encode(), event["position"])
            except UnreadableEvent as error:
                kind = (event["type"], str(error.details.get("reason")))
                found.setdefault(kind, f"{log}: {error.message}; {error.fix}")
    return list(found.values())


def _print(problems: list[str]) -> None:
    for problem in problems:
        err.print(f"[bold red]incompatible[/] {escape(problem)}", soft_wrap=True)


def _read(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder; `ltc schema export` makes it", param_hint="--dir")
    paths = sorted([*folder.glob("*/*.json"), *folder.glob("*.json")])
    return {path.relative_to(folder).as_posix(): orjson.loads(path.read_bytes()) for path in paths}
