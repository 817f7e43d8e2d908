"""`ltc`: the entry point, its global settings, and how errors are shown."""

import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from psycopg import errors as database_errors
from rich.markup import escape

from ltc_events.cli import (
    dead_letters,
    demo,
    doctor,
    events,
    explain,
    importing,
    projections,
    report,
    schema,
    simulate,
    submit,
    worker,
)
from ltc_events.cli.output import err, print_json
from ltc_events.cli.session import Session, configure_logging
from ltc_events.importing.errors import ImportUnusable
from ltc_events.kernel.errors import LtcError
from ltc_events.reports.errors import (
    InvalidMoment,
    InvalidParameter,
    NothingBetween,
    ParameterMissing,
    ReportBrokenOff,
    UnknownParameter,
    UnknownReport,
)
from ltc_events.store import NotInitialised
from ltc_events.store.embedded import default_home

USAGE_ERRORS = (
    ImportUnusable,
    UnknownReport,
    UnknownParameter,
    InvalidParameter,
    ParameterMissing,
    InvalidMoment,
    NothingBetween,
)

# Typer has its own copy of the library that this class is from, or not, by its version.
UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")

app = typer.Typer(
    help="An event-sourced lead-to-cash ledger: every lead, quote, order, invoice and payment as immutable events.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(doctor.init)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)
app.command("submit")(submit.submit)
app.command("import")(importing.import_)
app.command("simulate")(simulate.simulate)
app.command("report", context_settings={"ignore_unknown_options": True})(report.report)
app.add_typer(explain.app, name="explain")
app.add_typer(events.app, name="events")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(projections.app, name="projections")
app.add_typer(schema.app, name="schema")
app.add_typer(worker.app, name="worker")


@app.callback()
def settings(
    context: typer.Context,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="LTC_DATABASE_URL", help="PostgreSQL 15 or newer; without it, the embedded server.", show_default=False
        ),
    ] = None,
    database_password_file: Annotated[
        Path | None,
        typer.Option(
            envvar="LTC_DATABASE_PASSWORD_FILE", help="A file with the password, for a URL without one.", show_default=False
        ),
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(envvar="LTC_HOME", help=f"Folder of the embedded server; default: {default_home()}.", show_default=False),
    ] = None,
    kafka_bootstrap: Annotated[
        str | None,
        typer.Option(envvar="LTC_KAFKA_BOOTSTRAP", help="Kafka, as host:port,…; without it, no bus.", show_default=False),
    ] = None,
    kafka_prefix: Annotated[
        str,
        typer.Option(envvar="LTC_KAFKA_PREFIX", help="What names of topics and groups begin with; one per ledger on a cluster."),
    ] = "ltc",
    log_format: Annotated[
        str, typer.Option(envvar="LTC_LOG_FORMAT", help="auto, console or json; auto: console on a terminal, else JSON.")
    ] = "auto",
) -> None:
    """Settings that all commands share."""
    if log_format not in ("auto", "console", "json"):
        raise typer.BadParameter("use auto, console or json", param_hint="--log-format / LTC_LOG_FORMAT")
    configure_logging(log_format)
    session = Session(
        database_url=database_url,
        database_password_file=database_password_file,
        home=home or default_home(),
        kafka_bootstrap=kafka_bootstrap,
        kafka_prefix=kafka_prefix,
    )
    context.obj = session
    context.call_on_close(session.close)


def main() -> None:
    """Run the command line. Exit 0: done; 1: refused or failed; 2: wrong usage."""
    as_json = "--json" in sys.argv
    try:
        if as_json:
            _run_for_programs()
        app()
    except USAGE_ERRORS as error:
        fail(error.code, error.message, error.fix, as_json=as_json, status=2)
    except ReportBrokenOff as error:
        # Half a document is on stdout already: another one after it would only hide that.
        fail(error.code, error.message, error.fix, as_json=False)
    except LtcError as error:
        fail(error.code, error.message, error.fix, as_json=as_json)
    except KeyboardInterrupt:
        fail("interrupted", "interrupted", "what was done is kept; run the same command again to go on", as_json=as_json)
    except (database_errors.UndefinedTable, database_errors.InvalidSchemaName):
        absent = NotInitialised()
        fail(absent.code, absent.message, absent.fix, as_json=as_json)
    except database_errors.OperationalError as error:
        fail("database", str(error).strip(), "check that the database is running; `ltc doctor` looks at it", as_json=as_json)
    except database_errors.InsufficientPrivilege as error:
        fail("privilege", str(error).strip(), "connect as a member of the role that the command needs", as_json=as_json)


def _run_for_programs() -> NoReturn:
    """Run the command and exit; of a wrong command line, say so in JSON, too."""
    try:
        status = app(standalone_mode=False)
    except UsageError as error:
        help_of = error.ctx.command_path if error.ctx else "ltc"
        fail("usage", error.format_message(), f"`{help_of} --help` shows what there is", as_json=True, status=error.exit_code)
    sys.exit(status if isinstance(status, int) else 0)


def fail(code: str, message: str, fix: str, *, as_json: bool, status: int = 1) -> NoReturn:
    """Say what is wrong and what to do about it, and exit: 1, or 2 for wrong usage."""
    if as_json:
        print_json({"error": {"code": code, "message": message, "fix": fix}})
    err.print(f"[bold red]error[/] {escape(message)}")
    if fix:
        err.print(f"[bold]fix[/]   {escape(fix)}")
    sys.exit(status)
