"""`ltc events`: the log, readable."""

from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from ltc_events.application.event_log import event_at
from ltc_events.application.event_log import history as history_of
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import out, print_json, print_table
from ltc_events.cli.terminal import for_programs
from ltc_events.reports.render import write_document
from ltc_events.reports.spool import Spool
from ltc_events.schemas.decimal_json import dump
from ltc_events.schemas.record import Record
from ltc_events.store import Role

app = typer.Typer(help="The log of events.", no_args_is_help=True)
PAGE = 1_000


@app.command()
def tail(
    context: typer.Context,
    count: Annotated[int, typer.Option("--count", "-n", min=0, max=100_000, help="Number of last events to show.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Continue with new events, until interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the last events; with --json as one JSON document, or one per line with --follow."""
    store = services_of(context).store(Role.PROJECTOR)
    head = store.head()[0]
    shown = head - min(count, head)
    with Spool() as documents:
        while True:
            records = store.read(shown, PAGE, upto=store.readable(shown, shown + PAGE))
            for record in records:
                if not as_json:
                    out.print(line(record), markup=False, soft_wrap=True)
                elif follow:
                    out.print(orjson.dumps(record.document()).decode(), markup=False, soft_wrap=True)
                else:
                    documents.add(record.document())
            if records:
                shown = records[-1].position
            elif not follow:
                break
            else:
                store.wait(shown, 1.0)
        if as_json:
            write_document(for_programs(), {"position": shown}, "events", documents)


@app.command()
def history(
    context: typer.Context,
    subject: Annotated[UUID, typer.Argument(help="Id of the customer, lead, order, invoice and so on.")],
    as_json: JsonOption = False,
) -> None:
    """Show an aggregate's events, each with its changes of the aggregate's state."""
    steps = history_of(services_of(context).store(Role.PROJECTOR), subject)
    if as_json:
        write_document(for_programs(), {"subject": str(subject)}, "events", (step.document() for step in steps))
        return
    for record, changes in steps:
        out.print(line(record), markup=False, soft_wrap=True)
        for place, (was, now) in changes.items():
            out.print(f"      {place}: {_text(was)} → {_text(now)}", markup=False, soft_wrap=True)


@app.command()
def show(
    context: typer.Context,
    position: Annotated[int, typer.Argument(min=1, help="Position of the event.")],
    as_json: JsonOption = False,
) -> None:
    """Show one event in its current form, and in its stored form if that differs."""
    document = event_at(services_of(context).store(Role.PROJECTOR), position).document()
    if as_json:
        print_json(document)
        return
    more, stored = document.pop("more_parts", []), document.pop("stored", None)
    lines = [pair for one in (document, *more) for pair in _fields_of(one)]
    if stored:
        lines += [(f"stored.{name}", value) for name, value in _fields_of(stored)]
    print_table("event", ("field", "value"), lines)


def _fields_of(document: dict[str, Any]) -> list[tuple[str, Any]]:
    data = document["data"]
    rest = [(name, value) for name, value in document.items() if name != "data"]
    return [*rest, *((f"data.{name}", _text(value)) for name, value in data.items())]


def line(record: Record) -> str:
    """An event in one line."""
    data = dump(record.event, exclude_none=True).decode()
    if len(data) > 160:
        data = data[:157] + "…"
    place = f"{record.position}.{record.part}" if record.part > 1 else str(record.position)
    return f"{place:>8}  {record.effective_on}  {record.event.type:<36} {record.subject}  {record.actor}  {data}"


def _text(value: Any) -> str:
    """A value of a document, for people."""
    return value if isinstance(value, str) else "–" if value is None else orjson.dumps(value).decode()
