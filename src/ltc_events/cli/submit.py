"""`ltc submit`: commands as JSON lines in, an outcome for each line out."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, progress
from ltc_events.cli.terminal import for_programs
from ltc_events.reports.render import write_document
from ltc_events.reports.spool import Spool
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.undecodable import Undecodable

BATCH = 500
BATCH_BYTES = 32 * 1024 * 1024


def submit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Commands, one CloudEvent in JSON per line; `-` reads stdin.")],
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only the summary.")] = False,
) -> None:
    """Submit commands; prints one outcome per line. Exit 1 if any was refused or not decodable."""
    if str(file) != "-" and (not file.exists() or file.is_dir()):
        raise typer.BadParameter(f"{file} is not a file", param_hint="FILE")
    pipeline = services_of(context).pipeline()
    counts: Counter[str] = Counter()
    with Spool() as documents:
        _submit(pipeline, file, counts, documents if as_json and not quiet else None, is_told=not as_json and not quiet)
        if as_json:
            head = {"commands": sum(counts.values()), "by_status": dict(counts)}
            write_document(for_programs(), head, "outcomes", documents)
        else:
            err.print(", ".join(f"{count} {status}" for status, count in counts.items()) or "no commands")
    if counts["refused"] or counts["undecodable"]:
        raise typer.Exit(1)


def _submit(pipeline: CommandPipeline, file: Path, counts: Counter[str], kept: Spool | None, *, is_told: bool) -> None:
    """Submit the lines of the file; count how they ended, keep their outcomes, or tell them one a line."""
    with progress("commands") as ticker:
        for lines in _batches(file):
            answers = pipeline.submit([line for _, line in lines])
            ticker.advance(len(lines))
            for (line, _), answer in zip(lines, answers, strict=True):
                document = {"line": line, **_document(answer)}
                counts[document["status"]] += 1
                if kept is not None:
                    kept.add(document)
                elif is_told:
                    for_programs().write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).decode())


def _batches(file: Path) -> Iterator[list[tuple[int, bytes]]]:
    """The non-empty lines with their numbers, some hundred at a time; fewer where they are long."""
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as source:
        batch: list[tuple[int, bytes]] = []
        size = 0
        for number, line in enumerate(source, 1):
            if not line.strip():
                continue
            if len(batch) >= BATCH or (batch and size + len(line) > BATCH_BYTES):
                yield batch
                batch, size = [], 0
            batch.append((number, line.rstrip(b"\r\n")))
            size += len(line)
        if batch:
            yield batch


def _document(answer: Outcome | Undecodable) -> dict[str, Any]:
    if isinstance(answer, Outcome):
        return answer.document()
    return answer.document()
