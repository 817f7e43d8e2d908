"""`ltc dead-letters`: what came in and was no command, and seeing to it."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.application.dead_letters import CommandAttempt, DeadLetterService, Standing, find_dead_letter
from ltc_events.bootstrap.services import Services
from ltc_events.bus.origin import command_of
from ltc_events.cli.context import services_of
from ltc_events.cli.options import ByOption, JsonOption, require_reason
from ltc_events.cli.output import err, out, print_json, print_table
from ltc_events.store import Role
from ltc_events.store.dead_letters import DeadLetterLog, DeadLetterState, as_text

app = typer.Typer(help="Input that could not be decoded: list, show, retry or discard it.", no_args_is_help=True)

SourceOption = Annotated[str | None, typer.Option(help="Only those from this source: a topic, or `submit`.", show_default=False)]
PAGE = 500
# How those of a kind are tried again is said in `_service`.
KINDS = ("command",)


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[list[DeadLetterState] | None, typer.Option(help="Only those in this state; may be repeated.")] = None,
    source: SourceOption = None,
    after: Annotated[int, typer.Option(min=0, help="Only those with a greater id.")] = 0,
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=10_000, help="The most to show.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List dead letters, oldest first, with their state."""
    letters = services_of(context).store(Role.WRITER).dead_letters(after, count, states=state or None, source=source)
    if as_json:
        print_json({"dead_letters": [one.summary() for one in letters]})
    else:
        names = ("id", "received_at", "source", "state", "attempts", "reason", "bytes")
        print_table("dead letters", names, [tuple(one.summary().values()) for one in letters])


@app.command()
def show(context: typer.Context, id: Annotated[int, typer.Argument(min=1)], as_json: JsonOption = False) -> None:
    """Show one dead letter with its bytes, as far as they are text, and the steps taken."""
    store = services_of(context).store(Role.WRITER)
    letter, steps = find_dead_letter(store, id), store.dead_letter_steps(id)
    if as_json:
        print_json(letter.document(steps))
        return
    out.print(f"{letter.id}  {letter.received_at}  {letter.source}  {letter.state}\n{letter.reason}", markup=False)
    for name, value in (letter.origin or {}).items():
        out.print(f"{name}: {value}", markup=False)
    out.print(as_text(letter.raw), markup=False)
    if steps:
        columns = ("when", "by", "step", "why", "command", "document")
        rows = [
            (f"{one.made_at:%Y-%m-%d %H:%M:%S}", one.made_by, one.step, one.reason, one.command_id, one.document()["document"])
            for one in steps
        ]
        print_table("what was done about it", columns, rows)


@app.command()
def retry(
    context: typer.Context,
    by: ByOption,
    ids: Annotated[list[int] | None, typer.Argument(min=1, help="Which ones.", show_default=False)] = None,
    mended: Annotated[
        Path | None,
        typer.Option("--with", help="The command to send in its place, as JSON; `-` reads stdin.", show_default=False),
    ] = None,
    all_open: Annotated[bool, typer.Option("--all-open", help="All open ones, unchanged.")] = False,
    source: SourceOption = None,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the attempt, empty without it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Send dead letters through the command path again. Exit 1 if one is refused, or is still no command.

    Accepted commands are not sent again. With Kafka, the sender gets the outcome on `ltc.command-results`.
    """
    if bool(ids) == all_open or (mended is not None and len(ids or ()) != 1):
        raise typer.BadParameter("name the letters, or say --all-open; --with mends one letter", param_hint="IDS")
    document = None if mended is None else _document(mended)
    services = services_of(context)
    with _service(services, is_answering=True) as service:
        wanted = ids or _open_ids(services, source)
        done = [service.retry(id, by=by, reason=reason, document=document) for id in wanted]
    _print(done, as_json=as_json)
    if any(one.state != DeadLetterState.ACCEPTED for one in done):
        raise typer.Exit(1)


@app.command()
def discard(
    context: typer.Context,
    ids: Annotated[list[int], typer.Argument(min=1, help="Which ones.")],
    by: ByOption,
    reason: Annotated[str, typer.Option("--reason", help="Why it is discarded; kept.")],
    as_json: JsonOption = False,
) -> None:
    """Discard dead letters. They are kept, with who did it and why."""
    require_reason("discard", reason)
    with _service(services_of(context)) as service:
        _print([service.discard(id, by=by, reason=reason) for id in ids], as_json=as_json)


@contextmanager
def _service(services: Services, *, is_answering: bool = False) -> Iterator[DeadLetterService]:
    store = services.store(Role.WRITER)
    with ExitStack() as stack:
        answer = None
        if is_answering and services.has_bus:
            from ltc_events.workers.result_publisher import open_result_publisher

            answer = stack.enter_context(open_result_publisher(services.bus))
        book = stack.enter_context(DeadLetterLog(services.database))
        (command,) = KINDS
        yield DeadLetterService(store, book, {command: CommandAttempt(services.pipeline(), command_of, answer)})


def _open_ids(services: Services, source: str | None) -> list[int]:
    """Of those that can be tried again."""
    store, ids, after = services.store(Role.WRITER), list[int](), 0
    while page := store.dead_letters(after, PAGE, states=[DeadLetterState.OPEN], source=source):
        ids += [one.id for one in page if one.kind in KINDS]
        after = page[-1].id
    return ids


def _document(path: Path) -> bytes:
    if str(path) == "-":
        return sys.stdin.buffer.read()
    if not path.is_file():
        raise typer.BadParameter(f"{path} is not a file", param_hint="--with")
    return path.read_bytes()


def _print(done: list[Standing], *, as_json: bool) -> None:
    if as_json:
        print_json({"dead_letters": [one.document() for one in done]})
        return
    for one in done:
        told = f": {one.result.detail}" if one.result else ", as before" if one.state == DeadLetterState.ACCEPTED else ""
        err.print(f"{one.id} {one.state.value}{told}", markup=False)
        for reason in one.result.reasons if one.result else ():
            err.print(f"  {reason.code} {reason.field}: {reason.fix}", markup=False)
    if not done:
        err.print("there are none")
