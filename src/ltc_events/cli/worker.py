"""`ltc worker`: the processes between Kafka and the ledger."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated, Any

import typer

from ltc_events.bootstrap.settings import METRICS_HOST, UNHEALTHY_AFTER_S
from ltc_events.cli.context import environment_of, services_of
from ltc_events.cli.options import ProjectorSource
from ltc_events.cli.process import SUPERVISED
from ltc_events.store import Role
from ltc_events.workers.monitoring_options import MonitoringOptions

_WATCHING = "ltc_events.watching"

app = typer.Typer(no_args_is_help=True)


@app.callback()
def member(
    context: typer.Context,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            envvar="LTC_METRICS_PORT",
            min=1,
            max=65_535,
            help="Port of /metrics and /healthz; `all` gives its workers this port and the following ones.",
            show_default=False,
        ),
    ] = None,
    metrics_host: Annotated[
        str | None,
        typer.Option(
            envvar="LTC_METRICS_HOST",
            help="Address of /metrics and /healthz; 0.0.0.0: all.",
            show_default=METRICS_HOST,
        ),
    ] = None,
    unhealthy_after: Annotated[
        float | None,
        typer.Option(
            envvar="LTC_UNHEALTHY_AFTER",
            min=0.1,
            show_default=str(UNHEALTHY_AFTER_S),
            help="Seconds after which a worker is unhealthy that does not advance, waits for a server or cannot be measured.",
        ),
    ] = None,
    with_parent: Annotated[bool, typer.Option(SUPERVISED, hidden=True)] = False,
) -> None:
    """Run workers until SIGTERM."""
    settings = services_of(context).settings.given(
        metrics_port=metrics_port, metrics_host=metrics_host, unhealthy_after=unhealthy_after
    )
    context.meta[_WATCHING] = MonitoringOptions(settings.metrics_port, settings.metrics_host, settings.unhealthy_after)
    if with_parent:
        from ltc_events.workers.supervisor import end_with_parent

        end_with_parent()


@app.command("all")
def all_(
    context: typer.Context,
    commands: Annotated[int, typer.Option(min=1, max=100, help="Number of command workers.")] = 1,
    projectors: Annotated[int, typer.Option(min=1, max=100, help="Number of projectors.")] = 1,
) -> None:
    """Run all workers that this ledger needs in one process tree: without Kafka, a projector, a clock and a notary.

    There is a notary where it has a key. Ends where the login lacks a group that one of them needs, or one of them ends with an
    error that only an operator can put right.
    """
    import sys

    from ltc_events.workers.loop import Stop
    from ltc_events.workers.supervisor import Member, stop_children_on_signals, supervise

    services = services_of(context)
    names, roles = ["projector"] * projectors + ["clock"], [Role.READER, Role.PROJECTOR, Role.WRITER]
    if services.has_bus:
        names, roles = [*names, *["command"] * commands, "relay"], [*roles, Role.RELAY]
    if services.settings.notary_key.exists():
        names, roles = [*names, "notary"], [*roles, Role.NOTARY]
    services.database.require_roles(roles)  # one error here instead of one from each worker
    stop = Stop()
    stop_children_on_signals(stop)
    watching: MonitoringOptions = context.meta[_WATCHING]
    start = [sys.executable, "-m", "ltc_events", "worker", SUPERVISED]
    members = [Member(name, [*start, *watching.arguments(number), name]) for number, name in enumerate(names)]
    supervise(members, stop, environment_of(context))


@app.command()
def command(context: typer.Context) -> None:
    """Process commands from Kafka: decide, store and answer them. Several share the partitions."""
    from ltc_events.workers.command import open_command_worker
    from ltc_events.workers.probes import CommandProbe

    _work("command", context, open_command_worker, CommandProbe)


@app.command()
def relay(context: typer.Context) -> None:
    """Publish every event to Kafka, in order. One is active; further ones stand by."""
    from ltc_events.workers.probes import RelayProbe
    from ltc_events.workers.relay import open_relay

    _work("relay", context, open_relay, RelayProbe)


@app.command()
def projector(
    context: typer.Context,
    source: Annotated[
        ProjectorSource | None,
        typer.Option(help="Where events come from; default: kafka where one is configured, else store.", show_default=False),
    ] = None,
) -> None:
    """Update the read tables. On Kafka several share the partitions."""
    from ltc_events.projections.following.store_runner import open_runner
    from ltc_events.projections.tables.registry import PROJECTIONS
    from ltc_events.workers.endpoint import watched
    from ltc_events.workers.loop import Stop, run, stop_on_signals
    from ltc_events.workers.probes import ProjectorProbe
    from ltc_events.workers.projector import open_projector

    services = services_of(context)
    stop = Stop()
    stop_on_signals(stop)
    by_kafka = bool(services.has_bus) if source is None else source is ProjectorSource.KAFKA
    bus = services.bus if by_kafka else None

    def opened() -> AbstractContextManager[Any]:
        return open_projector(bus, services.database) if bus else open_runner(services.database, PROJECTIONS)

    with watched("projector", context.meta[_WATCHING], lambda: ProjectorProbe(services.database)) as watch:
        run("projector", opened, stop, watch=watch)


@app.command()
def notary(context: typer.Context) -> None:
    """Sign the log, every 5 seconds or 10,000 events. One is active; further ones stand by."""
    from ltc_events.workers.endpoint import watched
    from ltc_events.workers.loop import Stop, run, stop_on_signals
    from ltc_events.workers.notary import NotaryProbe, open_notary_worker

    services = services_of(context)
    key_file, stop = services.settings.notary_key, Stop()
    stop_on_signals(stop)
    with watched("notary", context.meta[_WATCHING], lambda: NotaryProbe(services.database, key_file)) as watch:
        run("notary", lambda: open_notary_worker(services.database, key_file), stop, watch=watch)


@app.command()
def clock(
    context: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="Process what is due now, and end.")] = False,
) -> None:
    """Send commands that become due: breaches, missed follow-ups, expired quotes, renewals, bills. Several may run."""
    from ltc_events.bus.publisher import Publisher
    from ltc_events.workers.clock import open_clock
    from ltc_events.workers.endpoint import watched
    from ltc_events.workers.loop import Stop, run, stop_on_signals

    services = services_of(context)
    bus, stop = services.bus if services.has_bus else None, Stop()
    stop_on_signals(stop)

    def opened() -> AbstractContextManager[Any]:
        return open_clock(bus, services.database, bus and Publisher(bus, stopping=stop.requested))

    if once:
        with opened() as worker:
            worker.see_to_all()
    else:
        with watched("clock", context.meta[_WATCHING], None) as watch:
            run("clock", opened, stop, watch=watch)


def _work(
    name: str,
    context: typer.Context,
    open_worker: Callable[..., AbstractContextManager[Any]],
    open_probe: Callable[..., Any],
) -> None:
    from ltc_events.bus.publisher import Publisher
    from ltc_events.workers.endpoint import watched
    from ltc_events.workers.loop import Stop, run, stop_on_signals

    services = services_of(context)
    bus, stop = services.bus, Stop()
    stop_on_signals(stop)

    def opened() -> AbstractContextManager[Any]:
        return open_worker(bus, services.database, Publisher(bus, stopping=stop.requested))

    with watched(name, context.meta[_WATCHING], lambda: open_probe(bus, services.database)) as watch:
        run(name, opened, stop, watch=watch)
