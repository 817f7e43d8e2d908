"""`ltc backup` and `ltc restore`: the ledger into a folder, and out of it."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from ltc_events.cli.context import services_of
from ltc_events.cli.options import JsonOption
from ltc_events.cli.output import err, print_json

Folder = Annotated[Path, typer.Argument(help="The folder of the backup.", show_default=False)]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", help="A file with the encryption key of the backup, at least 16 characters."),
]
KEY_CHARACTERS_MIN = 16


def backup(
    context: typer.Context,
    folder: Folder,
    key_file: KeyFile = None,
    keep: Annotated[
        int, typer.Option("--keep", min=1, max=10_000, help="For how many runs mutable tables are kept; events are all kept.")
    ] = 7,
    check: Annotated[bool, typer.Option("--check", help="Back up nothing; verify that every file is unchanged.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Create or extend the backup in a folder, while workers run. Interrupted, the same again goes on.

    As the ledger's owner, or a login that is a member of pg_read_all_data.
    """
    from ltc_events.recovery.backup import back_up
    from ltc_events.recovery.restore import verify

    secret = _secret(key_file)
    if check:
        manifest = verify(folder, secret=secret)
        told = {"head": manifest.last, "points": [{"head": one.head, "taken_at": one.taken_at} for one in manifest.points]}
        said = (
            f"All {len(manifest.files())} files are as they were written; {manifest.last} events, {len(manifest.points)} points."
        )
    else:
        done = back_up(services_of(context).database, folder, secret=secret, keep=keep, report=_print_line)
        told = dict(done._asdict())
        said = f"The backup holds all up to position {done.head}: {done.events} events and {done.size} bytes are new in it."
    if as_json:
        print_json(told)
    else:
        _print_line(said)


def restore(
    context: typer.Context,
    folder: Folder,
    key_file: KeyFile = None,
    to: Annotated[
        str | None,
        typer.Option(
            "--to",
            metavar="TIME|POSITION",
            help="The last moment or position to restore; default: all of the backup.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup into a database that holds no ledger: all of it, or nothing.

    As the owner of the database. Where there is a Kafka, `ltc recover` is next: it may have what the backup has not.
    """
    from ltc_events.recovery.restore import restore as put_in_place

    limit = None if to is None else _limit(to)
    done = put_in_place(services_of(context).database, folder, to=limit, secret=_secret(key_file), report=_print_line)
    if as_json:
        at = done.recorded_at and done.recorded_at.isoformat()
        print_json({"head": done.head, "recorded_at": at, "offsets_of": done.offsets_of})
        return
    _print_line(f"Restored up to position {done.head}. Next: `ltc init`, with Kafka `ltc recover`, and then start the workers.")


def _print_line(what: str) -> None:
    err.print(what, soft_wrap=True, markup=False)


def _secret(key_file: Path | None) -> str | None:
    from ltc_events.bootstrap.secret_files import read_secret

    if key_file is None:
        return None
    secret = read_secret("--key-file", key_file)
    if len(secret) < KEY_CHARACTERS_MIN:
        raise typer.BadParameter(f"a key has at least {KEY_CHARACTERS_MIN} characters", param_hint="--key-file")
    return secret


def _limit(text: str) -> int | datetime:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = datetime.min  # noqa: DTZ901 - refused below
    if moment.tzinfo is None:
        raise typer.BadParameter("expected a position, or a time with its zone, as 2026-03-02T09:30:00Z", param_hint="--to")
    return moment
