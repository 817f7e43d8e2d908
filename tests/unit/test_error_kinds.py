"""Whose turn it is after an error: each type says so itself, and exit codes and the patience of workers follow from it."""

import sys
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import ltc_events
from ltc_events.bus.connection_check import BusUnreachable
from ltc_events.cli.exit_status import EXIT_STATUS, exit_with_error
from ltc_events.kernel.errors import Kind, LtcError, Refused
from ltc_events.reports.errors import InvalidMoment
from ltc_events.store import DatabaseUnreachable, Fault, NotInitialised, diagnose
from ltc_events.workers.loop import Stop, run

USAGE = {
    "DataUnusable", "ImportUnusable", "InvalidMoment", "InvalidParameter", "MappingInvalid", "NothingBetween", "ParameterMissing",
    "NoMonths", "NothingToExport", "OnlyQueries", "PresentStateOnly", "SettingInvalid", "SettingsUnreadable", "SeveralStatements",
    "Undecodable", "UnknownParameter", "UnknownReport", "UnknownType",
}  # fmt: skip
PASSING = {
    "BrokerUnavailable", "BusForbidden", "BusLoginRefused", "BusNotTrusted", "BusRefusesCertificate", "BusSpeaksOtherwise",
    "BusUnreachable", "CertificateUnusable", "SecretUnreadable", "TokenRefused",
    "CommitUnknown", "ConnectionLost", "Contention", "DatabaseUnreachable",
    "EmbeddedServerFailed", "EpochOver", "HeadHeld", "NoAnswer", "NotPublished", "NotaryBusy", "PasswordUnreadable",
    "PositionNotReached",
    "ReadTablesMissing",
    "ReadersInTheWay", "ServiceBusy", "ServiceClosed", "TablesMissing",
}  # fmt: skip
USAGE |= {"BackupKeyWrong", "BackupTooNew", "NoBackup", "NotInBackup", "UnknownLogin"}
PASSING |= {"BackupAtWork"}
USAGE |= {"NoFolderForBackup", "ReasonMissing", "AccessMalformed"}
PASSING |= {"EmbeddedDiskFull", "RehearsalFailed"}


def every_type(kind: type[LtcError] = LtcError) -> list[type[LtcError]]:
    """All types of errors that the program has."""
    if kind is LtcError:
        for module in walk_packages([str(Path(ltc_events.__file__).parent)], "ltc_events."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    ours = [one for one in kind.__subclasses__() if one.__module__.startswith("ltc_events.")]
    return [*ours, *(deeper for one in ours for deeper in every_type(one))]


def test_what_is_wrong_usage_and_what_passes_by_itself() -> None:
    types = every_type()
    assert {one.__name__ for one in types if one.kind is Kind.USAGE} == USAGE, "these exit with 2"
    assert {one.__name__ for one in types if one.kind is Kind.UNAVAILABLE} == PASSING, "a worker waits for these"
    refusals = {one.__name__: one.kind for one in types if issubclass(one, Refused)}
    assert {name for name, kind in refusals.items() if kind is not Kind.REFUSED} == {"Defect"}


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InvalidMoment(name="--as-of", value="x", expected="a date", example="2026-01-31"), 2),
        (Refused(), 1),
        (BusUnreachable(bootstrap="x", reason="y"), 1),
        (NotInitialised(), 1),
    ],
)
def test_the_kind_decides_the_exit_code(error: LtcError, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ltc"])
    with pytest.raises(SystemExit) as ended:
        exit_with_error(error, as_json=False, log_format="console")
    assert ended.value.code == status == EXIT_STATUS[error.kind]


def test_every_kind_has_an_exit_code() -> None:
    assert set(EXIT_STATUS) == set(Kind)


def test_the_kind_decides_whether_a_worker_waits() -> None:
    stop, opened = Stop(), list[int]()

    class Once:
        def step(self) -> None:
            opened.append(1)
            if len(opened) == 1:
                raise DatabaseUnreachable(setting="LTC_DATABASE_URL", reason="away")
            raise NotInitialised

    @contextmanager
    def open_worker():  # type: ignore[no-untyped-def]
        yield Once()

    with pytest.raises(NotInitialised):
        run("relay", open_worker, stop)
    stop.close()
    assert len(opened) == 2
    assert diagnose(DatabaseUnreachable(setting="LTC_DATABASE_URL", reason="away")).fault is Fault.RETRY
    assert diagnose(NotInitialised()).fault is not Fault.RETRY
