"""`ltc recover`: when the store has gone back, say how far and what to do; with --yes, do it."""

from typing import TYPE_CHECKING, Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import ByOption, JsonOption, require_reason
from ltc_events.cli.output import err, print_json

if TYPE_CHECKING:
    from ltc_events.recovery.assessment import Assessment


def recover(
    context: typer.Context,
    by: ByOption,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; needs --reason. Without, only show what would be done.")] = False,
    discard: Annotated[
        bool,
        typer.Option(
            "--discard",
            help="Discard events that Kafka has and the store lost. Without it they are put back, or nothing is done.",
        ),
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the epoch that begins.", show_default=False)] = "",
    as_json: JsonOption = False,
) -> None:
    """Restore topic and read tables to the state of a store that went back, after a restored backup or a promotion.

    Stop the workers first. Exit 1 where something is ahead of the store and --yes was not given. As the owner of the ledger.
    """
    from ltc_events.recovery.assessment import find
    from ltc_events.recovery.recover import recover as take_way_out

    if yes:
        require_reason("--yes", reason)
    services = services_of(context)
    bus = services.bus if services.has_bus else None
    if not yes:
        findings = find(services.database, bus)
        if as_json:
            print_json(findings.document(discard=discard))
        else:
            for line in _summary(findings, discard=discard):
                err.print(line, soft_wrap=True, markup=False)
        if not findings.is_in_order:
            raise typer.Exit(1)
        return
    done = take_way_out(
        services.database,
        bus,
        discard=discard,
        by=by,
        reason=reason,
        report=lambda what: err.print(f"{what} …", soft_wrap=True, markup=False),
    )
    if as_json:
        print_json(done._asdict())
        return
    err.print(
        f"Epoch {done.epoch} holds behind position {done.after}: {done.put_back} events and {done.outcomes} outcomes were put "
        f"back, {done.discarded} events discarded, {done.answered} commands answered again, {len(done.tables)} read tables built "
        "anew. Start the workers again.",
        soft_wrap=True,
        markup=False,
    )


def _summary(findings: "Assessment", *, discard: bool) -> list[str]:
    if findings.is_in_order:
        return [f"Nobody is ahead of the store: its head is {findings.head}, in epoch {findings.epoch.name}. Nothing to do."]
    lines = []
    if findings.common is not None:
        lines.append(
            f"The store has gone back. All have the same up to position {findings.common}; its head is {findings.head}, so it "
            f"has recorded {findings.own} events of its own since, and Kafka has {len(findings.lost)} events that it has not."
        )
    if findings.answers:
        lines.append(f"{len(findings.answers)} commands were answered, and the store has no such outcome.")
    if findings.tables:
        names = sorted({one.projection for one in findings.tables})
        lines.append(f"{len(names)} read tables are ahead of the store: {', '.join(names)}.")
    lines.append("With --yes:")
    return [*lines, *(f"  - {step}" for step in findings.steps(discard=discard))]
