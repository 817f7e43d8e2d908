"""`ltc worker`: the processes between Kafka and the ledger."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer

from ltc_events.cli.session import Session, session_of

app = typer.Typer(help="Work between Kafka and the ledger, until SIGTERM.", no_args_is_help=True)


@app.command()
def command(context: typer.Context) -> None:
    """Take commands from Kafka, store their effects, answer them. Several share the partitions."""
    from ltc_events.workers.command import open_command_worker

    _work("command", context, open_command_worker)


@app.command()
def relay(context: typer.Context) -> None:
    """Publish every event to Kafka, in order. One is active; further ones stand by."""
    from ltc_events.workers.relay import open_relay

    _work("relay", context, open_relay)


@app.command()
def clock(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="See to everything that is due now, and end.")] = False,
) -> None:
    """Send what time causes: breaches, missed follow-ups, expired quotes, renewals, bills. Two do no harm."""
    from ltc_events.bus.publisher import Publisher
    from ltc_events.workers.clock import open_clock
    from ltc_events.workers.loop import Stop, run, stop_on_signals

    session: Session = session_of(context)
    bus, stop = session.bus if session.kafka_bootstrap else None, Stop()
    stop_on_signals(stop)

    def opened() -> AbstractContextManager[Any]:
        return open_clock(bus, session.database, bus and Publisher(bus, stopping=stop.requested))

    if once:
        with opened() as worker:
            worker.see_to_all()
    else:
        run("clock", opened, stop)


def _work(name: str, context: typer.Context, open_worker: Callable[..., AbstractContextManager[Any]]) -> None:
    from ltc_events.bus.publisher import Publisher
    from ltc_events.workers.loop import Stop, run, stop_on_signals

    session: Session = session_of(context)
    bus, stop = session.bus, Stop()
    stop_on_signals(stop)
    run(name, lambda: open_worker(bus, session.database, Publisher(bus, stopping=stop.requested)), stop)
