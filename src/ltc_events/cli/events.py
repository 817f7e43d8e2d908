"""`ltc events`: the log, readable."""

from datetime import UTC
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from ltc_events.application.state_history import states
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import out, print_json, print_table
from ltc_events.cli.terminal import for_programs
from ltc_events.kernel.errors import LtcError
from ltc_events.reports.render import write_document
from ltc_events.reports.spool import Spool
from ltc_events.schemas.decimal_json import dump, values
from ltc_events.schemas.record import Record
from ltc_events.schemas.undecodable import WIRE_PREFIX
from ltc_events.store import Role

app = typer.Typer(help="The log of events.", no_args_is_help=True)
PAGE = 1_000


class NoSuchStream(LtcError):
    """no event has the subject {id}"""

    remedy = "`ltc events tail` shows subjects"


class NoSuchPosition(LtcError):
    """there is no event at position {position}; the last one is {head}"""

    remedy = "give a position between 1 and {head}"


@app.command()
def tail(
    context: typer.Context,
    count: Annotated[int, typer.Option("--count", "-n", min=0, max=100_000, help="How many of the last events to show.")] = 20,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until interrupted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the last events; with --json as one JSON document, or one a line when following."""
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
                    out.print(orjson.dumps(document(record)).decode(), markup=False, soft_wrap=True)
                else:
                    documents.add(document(record))
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
    """Show one aggregate's events, and after each what it changed in the aggregate's state."""
    records = services_of(context).store(Role.PROJECTOR).stream(subject)
    if not records:
        raise NoSuchStream(id=subject)
    if as_json:
        documents = ({**document(record), "changes": changes} for record, changes in states(records))
        write_document(for_programs(), {"subject": str(subject)}, "events", documents)
        return
    for record, changes in states(records):
        out.print(line(record), markup=False, soft_wrap=True)
        for place, (was, now) in changes.items():
            out.print(f"      {place}: {_text(was)} → {_text(now)}", markup=False, soft_wrap=True)


@app.command()
def show(
    context: typer.Context,
    position: Annotated[int, typer.Argument(min=1, help="Position of the event.")],
    as_json: JsonOption = False,
) -> None:
    """Show one event whole: as it is told today, and where that is something else, as it is stored."""
    store = services_of(context).store(Role.PROJECTOR)
    stored = store.read_raw(position - 1, 1)
    if not stored:
        raise NoSuchPosition(position=position, head=store.head()[0])
    told = [document(record) for record in store.read(position - 1, 1)]
    (raw,) = stored
    as_stored = {"type": f"{WIRE_PREFIX}{raw.type}", "data": orjson.loads(raw.data)}
    is_older = [one["type"] for one in told] != [as_stored["type"]]
    if as_json:
        print_json({**told[0], "more_parts": told[1:], "stored": as_stored} if is_older else told[0])
        return
    lines = [pair for one in told for pair in _fields_of(one)]
    if is_older:
        lines += [(f"stored.{name}", value) for name, value in _fields_of(as_stored)]
    print_table("event", ("field", "value"), lines)


def _fields_of(document: dict[str, Any]) -> list[tuple[str, Any]]:
    data = document["data"]
    rest = [(name, value) for name, value in document.items() if name != "data"]
    return [*rest, *((f"data.{name}", _text(value)) for name, value in data.items())]


def document(record: Record) -> dict[str, Any]:
    """An event as a JSON document, with the names of the wire."""
    return {
        "position": record.position,
        "type": f"ltc.{record.event.type}",
        "subject": str(record.subject),
        "version": record.version,
        "part": record.part,
        "customer_id": None if record.customer_id is None else str(record.customer_id),
        "occurred_at": record.occurred_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "effective_on": record.effective_on.isoformat(),
        "recorded_at": record.recorded_at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "command_id": str(record.command_id),
        "correlation_id": str(record.correlation_id),
        "causation_id": str(record.causation_id),
        "actor": record.actor,
        "data": values(record.event, exclude_none=True),
    }


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
