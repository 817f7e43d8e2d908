"""`ltc events`: the log, readable."""

from collections.abc import Mapping, Set
from dataclasses import is_dataclass
from datetime import UTC, date
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer
from pydantic import BaseModel

from ltc_events.application.batch import NOTHING, Entry, evolve
from ltc_events.cli.output import JsonOption, out, print_json, print_table
from ltc_events.cli.session import session_of
from ltc_events.kernel.errors import LtcError
from ltc_events.schemas.envelope import WIRE_PREFIX
from ltc_events.schemas.record import Record
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
    store = session_of(context).store(Role.PROJECTOR)
    head = store.head()[0]
    shown = head - min(count, head)
    documents: list[dict[str, Any]] = []
    while True:
        records = store.read(shown, PAGE)
        for record in records:
            if as_json and follow:
                out.print(orjson.dumps(document(record)).decode(), markup=False, soft_wrap=True)
            elif as_json:
                documents.append(document(record))
            else:
                out.print(line(record), markup=False, soft_wrap=True)
        if records:
            shown = records[-1].position
        elif not follow:
            break
        else:
            store.wait(shown, 1.0)
    if as_json and not follow:
        print_json({"position": shown, "events": documents})


@app.command()
def history(
    context: typer.Context,
    subject: Annotated[UUID, typer.Argument(help="Id of the customer, lead, order, invoice ….")],
    as_json: JsonOption = False,
) -> None:
    """Show one aggregate's events, and after each what it changed in the aggregate's state."""
    records = session_of(context).store(Role.PROJECTOR).stream(subject)
    if not records:
        raise NoSuchStream(id=subject)
    entry: Entry = NOTHING
    documents = []
    for record in records:
        before, entry = fields(entry.state), evolve(entry, record)
        after = fields(entry.state)
        changes = {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
        documents.append({**document(record), "changes": changes})
    if as_json:
        print_json({"subject": str(subject), "events": documents})
        return
    for record, shown in zip(records, documents, strict=True):
        out.print(line(record), markup=False, soft_wrap=True)
        for name, (was, now) in shown["changes"].items():
            out.print(f"      {name}: {_text(was)} → {_text(now)}", markup=False, soft_wrap=True)


@app.command()
def show(
    context: typer.Context,
    position: Annotated[int, typer.Argument(min=1, help="Position of the event.")],
    as_json: JsonOption = False,
) -> None:
    """Show one event whole: as it is told today, and where that is something else, as it is stored."""
    store = session_of(context).store(Role.PROJECTOR)
    stored = store.read_raw(position - 1, 1)
    if not stored:
        raise NoSuchPosition(position=position, head=store.head()[0])
    told = [document(record) for record in store.read(position - 1, 1)]
    (raw,) = stored
    as_stored = {"type": f"{WIRE_PREFIX}{raw.type}", "data": orjson.loads(raw.data)}
    if as_json:
        print_json({**told[0], "more_parts": told[1:], "stored": as_stored})
        return
    lines = [pair for one in told for pair in _fields_of(one)]
    if any(one["type"] != as_stored["type"] for one in told):
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
        "data": record.event.model_dump(mode="json", exclude_none=True),
    }


def line(record: Record) -> str:
    """An event in one line."""
    data = orjson.dumps(record.event.model_dump(mode="json", exclude_none=True)).decode()
    if len(data) > 160:
        data = data[:157] + "…"
    place = f"{record.position}.{record.part}" if record.part > 1 else str(record.position)
    return f"{place:>8}  {record.effective_on}  {record.event.type:<36} {record.subject}  {record.actor}  {data}"


def fields(state: Any) -> dict[str, Any]:
    """The fields of a state, ready for JSON: amounts, ids and dates as text."""
    if state is None:
        return {}
    return {name: _plain(getattr(state, name)) for name in type(state).__dataclass_fields__}


def _plain(value: Any) -> Any:
    """A value of a state, whatever it is made of, as JSON knows it."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if is_dataclass(value):
        return fields(value)
    if isinstance(value, Mapping):
        return {str(_plain(key)): _plain(one) for key, one in value.items()}
    if hasattr(value, "_asdict"):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Set):
        return sorted(map(_plain, value), key=str)
    return value.isoformat() if isinstance(value, date) else str(value)


def _text(value: Any) -> str:
    """A value of a document, for people."""
    return value if isinstance(value, str) else "–" if value is None else orjson.dumps(value).decode()
