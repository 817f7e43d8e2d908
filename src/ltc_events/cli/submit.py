"""`ltc submit`: commands as JSON lines in, an outcome for each line out."""

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from ltc_events.application.pipeline import CommandPipeline
from ltc_events.cli.output import JsonOption, err, progress
from ltc_events.cli.session import session_of
from ltc_events.reports.render import write_document
from ltc_events.reports.spool import Spool
from ltc_events.schemas.envelope import Undecodable
from ltc_events.schemas.outcome import Outcome

BATCH = 500


def submit(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Commands, one CloudEvent in JSON a line; `-` reads stdin.")],
    as_json: JsonOption = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the summary.")] = False,
) -> None:
    """Submit commands; prints one outcome a line. Exit 1 if any was refused or not decodable."""
    if str(file) != "-" and (not file.exists() or file.is_dir()):
        raise typer.BadParameter(f"{file} is not a file", param_hint="FILE")
    pipeline = session_of(context).pipeline()
    counts: Counter[str] = Counter()
    with Spool() as documents:
        _submit(pipeline, file, counts, documents if as_json and not quiet else None, is_told=not as_json and not quiet)
        if as_json:
            head = {"commands": sum(counts.values()), "by_status": dict(counts)}
            write_document(sys.stdout, head, "outcomes", documents)
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
                    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE).decode())


def _batches(file: Path) -> Iterator[list[tuple[int, bytes]]]:
    """The non-empty lines with their numbers, some hundred at a time."""
    with sys.stdin.buffer if str(file) == "-" else file.open("rb") as source:
        lines = ((number, line.rstrip(b"\r\n")) for number, line in enumerate(source, 1) if line.strip())
        while batch := list(islice(lines, BATCH)):
            yield batch


def _document(answer: Outcome | Undecodable) -> dict[str, Any]:
    if isinstance(answer, Outcome):
        return answer.document()
    reason = {"code": answer.code, "field": "", "message": answer.message, "fix": answer.fix}
    return {"command_id": None, "status": "undecodable", "first_outcome": None, "positions": [], "reasons": [reason]}
