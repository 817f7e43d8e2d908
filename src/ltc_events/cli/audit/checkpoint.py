"""`ltc audit checkpoint`: sign what there is, and print what is signed."""

from enum import StrEnum
from typing import Annotated

import typer

from ltc_events.bootstrap.services import Services
from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import print_json
from ltc_events.cli.terminal import for_programs


class Log(StrEnum):
    """The logs that are signed."""

    EVENTS = "events"
    OUTCOMES = "outcomes"
    REFUSALS = "refusals"
    ROLLS = "rolls"


LogOption = Annotated[Log, typer.Option("--log", help="The log.")]


def checkpoint(
    context: typer.Context,
    log: LogOption = Log.EVENTS,
    show: Annotated[bool, typer.Option("--show", help="Print the last signed checkpoint, and sign nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Sign the log up to now, and print the checkpoint: size of the log, root hash, and signature."""
    from ltc_events.audit.errors import NothingSigned
    from ltc_events.audit.keys import read_keys
    from ltc_events.proofs.base64_text import encode
    from ltc_events.store.transparency import TransparencyStore

    services = services_of(context)
    if not show:
        sign_now(services)
    origin = read_keys(services.settings.notary_key).origin(log.value)
    with TransparencyStore(services.database) as store:
        last = store.last(origin)
    if last is None:
        raise NothingSigned(log=origin)
    if as_json:
        signed_at = last.signed_at.isoformat()
        print_json(
            {"log": origin, "size": last.size, "root": encode(last.root), "signed_at": signed_at, "note": last.note.decode()}
        )
    else:
        for_programs().write(last.note.decode())


def sign_now(services: Services) -> None:
    """Sign everything. On the embedded server, whose owner is the notary as well, a first key is made where there is none."""
    from ltc_events.audit.errors import NotaryBusy
    from ltc_events.audit.first_key import ensure_key
    from ltc_events.audit.notary import open_notary

    file = services.settings.notary_key
    if services.is_embedded:
        ensure_key(services.database, file)
    with open_notary(services.database, file) as notary:
        if not notary.begin():
            raise NotaryBusy
        notary.sign_all()
