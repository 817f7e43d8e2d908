"""`ltc audit verify`: walk everything that was signed, and name what is another."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ltc_events.bootstrap.services import Services
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, out, print_json, progress


def verify(
    context: typer.Context,
    since: Annotated[
        list[Path] | None,
        typer.Option("--since", help="An earlier checkpoint; the log must extend it.", exists=True),
    ] = None,
    tables: Annotated[bool, typer.Option("--tables/--no-tables", help="Also compare the read tables of money.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Hash every event, outcome and refusal again, make the last roll again, and list what differs from what was signed.

    Exit 1 if anything does.
    """
    from ltc_events.audit.errors import NothingSigned
    from ltc_events.audit.keys import LOGS, read_keys
    from ltc_events.audit.memory import NotaryMemory, memory_beside
    from ltc_events.audit.verification import verify_logs
    from ltc_events.bootstrap.services import open_store
    from ltc_events.proofs.checkpoint import Checkpoint
    from ltc_events.proofs.note import Note
    from ltc_events.store import Role
    from ltc_events.store.transparency import TransparencyStore

    services = services_of(context)
    file = services.settings.notary_key
    keys = read_keys(file)
    verifiers = {log: (keys.origin(log), keys.verifiers(log)) for log in LOGS}
    memory = NotaryMemory(memory_beside(file))
    others = [(origin, note) for origin, _ in verifiers.values() if (note := memory.note(origin)) is not None]
    for path in since or ():
        note = path.read_bytes()
        others.append((Checkpoint.parse(Note.parse(note).text).origin, note))
    unknown = {origin for origin, _ in others} - {origin for origin, _ in verifiers.values()}
    if unknown:
        raise typer.BadParameter(f"{', '.join(sorted(unknown))} is no log of this ledger", param_hint="--since")
    with open_store(services.database, Role.NOTARY) as events, TransparencyStore(services.database) as store:
        if not others and store.last(verifiers["events"][0]) is None:
            raise NothingSigned(log=verifiers["events"][0])
        with progress("verify") as ticker:
            verdict = verify_logs(events, store, verifiers, others, ticker.reach)
    if tables:
        verdict = _with_tables(services, verdict)
    if as_json:
        print_json(verdict.document())
    else:
        for state in verdict.logs:
            at = f", signed {state.signed_at:%Y-%m-%d %H:%M:%S} UTC" if state.signed_at else ""
            err.print(f"{state.log}: {state.size} leaves{at}", soft_wrap=True, markup=False)
        err.print(f"{verdict.unsigned} events are not signed yet; {len(verdict.tables)} read tables were compared.", markup=False)
        for finding in verdict.findings:
            out.print(str(finding), soft_wrap=True, markup=False)
        err.print(f"{len(verdict.findings)} findings" if verdict.findings else "All of it is as it was signed.", markup=False)
    if verdict.findings:
        raise typer.Exit(1)


def _with_tables(services: Services, verdict: Any) -> Any:
    from ltc_events.audit.tables import verify_tables
    from ltc_events.projections.catalog.status import are_laid_out
    from ltc_events.store import Role, RoleDenied

    try:
        with services.database.connect(Role.PROJECTOR) as connection:
            if not are_laid_out(connection):
                return verdict
    except RoleDenied as denied:  # the notary's login reads no read tables: what was signed is verified all the same
        err.print(f"Read tables are not compared: {denied}.", markup=False)
        return verdict
    compared = list(verify_tables(services.database, lambda table: err.print(f"comparing {table} …", markup=False)))
    findings = [finding for _, found in compared for finding in found]
    return verdict._replace(tables=[table for table, _ in compared], findings=[*verdict.findings, *findings])
