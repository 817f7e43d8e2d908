"""`ltc import watch`: dated exports are imported as they come into a folder."""

import math
import time
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ltc_events.application.clock import SystemClock
from ltc_events.cli.context import services_of
from ltc_events.importing.errors import MappingInvalid
from ltc_events.importing.exports import exports
from ltc_events.importing.mapping import MAPPING_FILE, read_folder
from ltc_events.importing.watching import ExportsLeft, FolderWatch, WatchOptions
from ltc_events.store import Role

if TYPE_CHECKING:
    from ltc_events.workers.loop import Stop


class OnRefusal(StrEnum):
    """What becomes of the watch when an export is refused."""

    GO_ON = "go-on"
    STOP = "stop"


def _seconds(value: float) -> float:
    if math.isnan(value):  # it is in every range
        raise typer.BadParameter("nan is not a number of seconds")
    return value


def watch_(
    context: typer.Context,
    mapping: Annotated[Path, typer.Argument(help="The mapping; a source of it has a path with *.", exists=True)],
    data: Annotated[Path, typer.Option("--data", help="Folder that the files come into.", exists=True, file_okay=False)],
    settle: Annotated[
        float, typer.Option(min=0, max=86_400, callback=_seconds, help="A file unchanged for so many seconds is complete.")
    ] = 10.0,
    every: Annotated[
        float, typer.Option(min=0.1, max=86_400, callback=_seconds, help="Look at the folder every so many seconds.")
    ] = 5.0,
    on_refusal: Annotated[
        OnRefusal, typer.Option(help="What an export that is refused, or a total that differs, does to the watch.")
    ] = OnRefusal.GO_ON,
    refused: Annotated[
        Path | None,
        typer.Option("--refused", help="Folder for a CSV file of refused rows per export.", exists=True, file_okay=False),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="Import what is there, and end: exit 1 where an export is refused or incomplete.")
    ] = False,
) -> None:
    """Import dated exports as they come into a folder: each once, in the order of their dates, when it is complete.

    Ends with SIGTERM or Ctrl-C; whenever it ends, the next watch goes on where it was.
    """
    from ltc_events.workers.loop import Stop, run, stop_on_signals

    read, mistakes = read_folder(mapping.parent if mapping.name == MAPPING_FILE else mapping)
    if read is None or mistakes:
        raise MappingInvalid(mapping.name, mistakes)
    exports(read.mapping, data)  # whoever watches nothing hears it at once
    stop = Stop()
    stop_on_signals(stop)
    services = services_of(context)
    watch = FolderWatch(
        read,
        data,
        services.store(Role.WRITER),
        SystemClock(),
        WatchOptions(settle, every, on_refusal is OnRefusal.STOP, refused),
        principal=services.principal,
        pause=stop.wait,
        is_stopping=stop.requested,
    )
    if not once:
        run("import", lambda: nullcontext(watch), stop)
        return
    _drain(watch, stop, settle, min(every, max(settle, 0.1)))


def _drain(watch: FolderWatch, stop: "Stop", patience_s: float, pause_s: float) -> None:
    """Import what is there. Raises ExportsLeft where something is refused, or is still missing after a while."""
    since = time.monotonic()
    while not stop.requested() and (done := watch.see_to_next()) is not False:
        if done or not watch.lacks:
            since = time.monotonic()
        elif time.monotonic() - since >= patience_s:
            break
        if done is None:
            stop.wait(pause_s)
    if (left := watch.left()) and not stop.requested():
        raise ExportsLeft(left="; ".join(left))
