"""`ltc schema`: the published language as files, and the guard against breaking it."""

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from ltc_events.cli.output import JsonOption, err, print_json
from ltc_events.schemas.compatibility import incompatibilities
from ltc_events.schemas.export import exported

app = typer.Typer(help="JSON Schemas of all commands and events, and the AsyncAPI document of Kafka.", no_args_is_help=True)
Folder = Annotated[Path, typer.Option("--dir", help="Folder of the exported schemas.")]
DEFAULT_FOLDER = Path("docs/schemas")


@app.command()
def export(folder: Folder = DEFAULT_FOLDER) -> None:
    """Write a JSON Schema for each command and event, and an AsyncAPI document of how they go over Kafka."""
    from ltc_events.bus import asyncapi

    files = exported()
    for name, content in {**files, asyncapi.NAME: asyncapi.document()}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    for stale in set(folder.glob("*/*.json")) - {folder / name for name in files}:
        stale.unlink()
    err.print(f"{len(files)} schemas and {asyncapi.NAME} in {folder}")


@app.command()
def check(folder: Folder = DEFAULT_FOLDER, as_json: JsonOption = False) -> None:
    """Hold the code against the exported schemas. Exit 1 on an incompatible change, or when the export is not current."""
    from ltc_events.bus import asyncapi

    old = _read(folder)
    new = exported()
    old_wire, new_wire = old.pop(asyncapi.NAME, {}), asyncapi.document()
    problems = incompatibilities(old, new) + asyncapi.incompatibilities(old_wire, new_wire)
    stale = sorted(name for name, schema in new.items() if old.get(name) != schema)
    if old_wire != new_wire:
        stale.append(asyncapi.NAME)
    if as_json:
        print_json({"compatible": not problems, "problems": problems, "stale": stale})
    else:
        for problem in problems:
            err.print(f"[bold red]incompatible[/] {problem}")
        if stale and not problems:
            err.print(f"[bold]not exported yet[/] {', '.join(stale)}; run `ltc schema export` and commit the result")
        if not problems and not stale:
            err.print(f"{len(new)} schemas and {asyncapi.NAME}, all as exported")
    if problems or stale:
        raise typer.Exit(1)


def _read(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise typer.BadParameter(f"{folder} is not a folder; `ltc schema export` makes it", param_hint="--dir")
    paths = sorted([*folder.glob("*/*.json"), *folder.glob("*.json")])
    return {path.relative_to(folder).as_posix(): orjson.loads(path.read_bytes()) for path in paths}
