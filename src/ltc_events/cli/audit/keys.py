"""`ltc audit keys|init-key|rotate-key`: the notary's keys."""

from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, out, print_json

NameOption = Annotated[
    str | None,
    typer.Option("--name", help="The ledger's name in its logs, as host/ledger.", show_default=False),
]


def keys_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Print the public keys of the logs, for auditors; send them by another channel than the proofs."""
    from ltc_events.audit.keys import LOGS, read_keys

    known = read_keys(services_of(context).settings.notary_key)
    public = {known.origin(log): [str(one) for one in known.verifiers(log)] for log in LOGS}
    if as_json:
        print_json(public)
    else:
        for one in public.values():
            for line in one:
                out.print(line, soft_wrap=True, markup=False)


def init_key(context: typer.Context, name: NameOption = None) -> None:
    """Create the notary's signing key in LTC_NOTARY_KEY_FILE, readable by its owner only."""
    from ltc_events.audit.keys import make_key

    file = services_of(context).settings.notary_key
    known = make_key(file, name)
    err.print(f"{file} has the key of {known.name}. Keep a copy of it elsewhere.", soft_wrap=True, markup=False)


def rotate_key(context: typer.Context, name: NameOption = None) -> None:
    """Add a new key that signs beside the old one, or, with another --name, begin new logs under that name.

    Take the old line out of the file when all who verify have the new public key.
    """
    from ltc_events.audit.keys import add_key

    file = services_of(context).settings.notary_key
    known = add_key(file, name)
    err.print(f"{file} has {len(known.seeds)} keys of {known.name}; all of them sign.", soft_wrap=True, markup=False)
