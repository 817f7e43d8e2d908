"""`ltc`: the entry point and its global settings. Commands are imported when they run."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from ltc_events.cli import database_options
from ltc_events.cli.commands import COMMANDS
from ltc_events.cli.kafka_options import with_kafka_options
from ltc_events.cli.lazy import lazy_group
from ltc_events.cli.process import INTERRUPTED, SUPERVISED
from ltc_events.cli.terminal import prepare_streams

# Typer has its own copy of the library that this class is from, or not, by its version.
UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")

app = typer.Typer(
    cls=lazy_group(COMMANDS),
    help="An event-sourced lead-to-cash ledger: every lead, quote, order, invoice and payment as immutable events.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ltc-events {version('ltc-events')}")
        raise typer.Exit


_NotaryKeyFile = Annotated[
    Path | None,
    typer.Option(
        envvar="LTC_NOTARY_KEY_FILE", help="The file with the notary's keys; default: notary.key in the home.", show_default=False
    ),
]


@app.callback()
@with_kafka_options
def settings(
    context: typer.Context,
    database_url: database_options.Url = None,
    database_password_file: database_options.PasswordFile = None,
    reader_url: database_options.ReaderUrl = None,
    reader_password_file: database_options.ReaderPasswordFile = None,
    home: database_options.Home = None,
    notary_key_file: _NotaryKeyFile = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            envvar="LTC_LOG_FORMAT",
            help="auto, console or json; auto: console on a terminal, else JSON.",
            show_default="auto",
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
    **kafka: str | Path | None,
) -> None:
    """Settings that all commands share."""
    from ltc_events.cli.context import begin

    begin(
        context,
        database_url=database_url,
        database_password_file=database_password_file,
        reader_url=reader_url,
        reader_password_file=reader_password_file,
        home=home,
        notary_key_file=notary_key_file,
        log_format=log_format,
        **kafka,
    )


def main() -> NoReturn:
    """Run the command line. Exit 0: done; 1: refused or failed; 2: wrong usage; 130: interrupted."""
    prepare_streams()
    as_json = "--json" in sys.argv
    failure: BaseException | None = None
    status: object = 0
    try:
        status = app(standalone_mode=False)
        failure = KeyboardInterrupt() if status == INTERRUPTED else None
        sys.stdout.flush()
    except UsageError as error:
        from ltc_events.cli.exit_status import usage

        usage(error, as_json=as_json, log_format=_log_format(sys.argv))
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - a defect, too, is written with its kind and ends the process with its exit code
        failure = error
    if failure is not None:
        from ltc_events.cli.exit_status import exit_with_error

        supervised = SUPERVISED in sys.argv
        exit_with_error(failure, as_json=as_json, log_format=_log_format(sys.argv), supervised=supervised)
    sys.exit(status if isinstance(status, int) else 0)


def _log_format(words: list[str]) -> str:
    """The log format, also where the command line or the settings are invalid."""
    from ltc_events.bootstrap.settings import load_settings
    from ltc_events.kernel.errors import LtcError

    given = None
    for word, following in zip(words, [*words[1:], ""], strict=True):
        option, equals, value = word.partition("=")
        if option == "--log-format":
            given = value if equals else following
    try:
        return load_settings(log_format=given).log_format
    except LtcError:
        return given or os.environ.get("LTC_LOG_FORMAT", "auto")
