"""The global options that say which databases the ledger and its readers use."""

from pathlib import Path
from typing import Annotated

import typer

from ltc_events.store.home import default_home

Url = Annotated[
    str | None,
    typer.Option(envvar="LTC_DATABASE_URL", help="PostgreSQL 15 or newer; without it, the embedded server.", show_default=False),
]
PasswordFile = Annotated[
    Path | None,
    typer.Option(
        envvar="LTC_DATABASE_PASSWORD_FILE", help="A file with the password, for a URL without one.", show_default=False
    ),
]
ReaderUrl = Annotated[
    str | None,
    typer.Option(
        envvar="LTC_READER_URL",
        help="PostgreSQL that reports and queries read, such as a standby; default: the database.",
        show_default=False,
    ),
]
ReaderPasswordFile = Annotated[
    Path | None,
    typer.Option(
        envvar="LTC_READER_PASSWORD_FILE", help="A file with the password for it, for a URL without one.", show_default=False
    ),
]
Home = Annotated[
    Path | None,
    typer.Option(envvar="LTC_HOME", help=f"Folder of the embedded server; default: {default_home()}.", show_default=False),
]
