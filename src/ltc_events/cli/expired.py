"""`ltc expired`: commands that Kafka dropped before they were taken; with --yes, go on without them."""

from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import ByOption, JsonOption, require_reason
from ltc_events.cli.output import err, print_json
from ltc_events.store import Role


def expired(
    context: typer.Context,
    by: ByOption,
    yes: Annotated[bool, typer.Option("--yes", help="Let the command workers skip them; needs --reason.")] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in ltc.expired_messages.", show_default=False)] = "",
    as_json: JsonOption = False,
) -> None:
    """Show commands that expired on their topic before they were processed. Exit 1 if there are some, without --yes."""
    from ltc_events.bus.offsets import OffsetReader
    from ltc_events.recovery.expired import find_expired, go_on_without

    if yes:
        require_reason("--yes", reason)
    services = services_of(context)
    bus = services.bus
    if yes:
        found = go_on_without(services.database, bus, by=by, reason=reason)
    else:
        with OffsetReader(bus) as offset_reader:
            found = find_expired(bus, services.store(Role.WRITER), offset_reader)
    if as_json:
        print_json({"expired": [one.document() for one in found], "passed": yes})
    else:
        for one in found:
            err.print(f"partition {one.partition}: offsets {one.first} to {one.next - 1}, {one.messages} messages")
        done = "The command workers go on without them." if yes else "They were acknowledged and never taken."
        err.print(done if found else "No command expired before it was taken.")
    if found and not yes:
        raise typer.Exit(1)
