"""Canaries in every setting: none comes out of any command or worker, whatever is shown, logged or listed of it."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from tests.e2e.test_cli import Ltc
from tests.e2e.test_cli_absurd import commands, run_all

CANARY = "CANARYbird"
AT_ONCE = 8
"""Most of them find no server, and many wait for one until they are told to end."""
URLS = (
    f"postgresql://login:{CANARY}@127.0.0.1:1/ledger",
    f"postgresql://login:{CANARY}@127.0.0.1:seven/ledger",
    f"postgresql://login:x@{CANARY}@127.0.0.1/ledger",
    f"postgresql://login:12/{CANARY}@127.0.0.1/ledger",
    f"postgresql://login:%zz{CANARY}@127.0.0.1/ledger",
    f"postgresql://127.0.0.1:1/ledger?user=login&password={CANARY}",
    f"host=127.0.0.1 port=1 user=login password={CANARY}",
    f"host=127.0.0.1 port=1 password='{CANARY}",
    f"host=127.0.0.1 password=two {CANARY}",
    f"mysql://login:{CANARY}@127.0.0.1/ledger",
)
NEEDED = {
    ("submit",): ["/dev/null"], ("import", "files"): ["/dev/null", "--data", "/tmp"], ("report",): ["funnel"],
    ("explain", "invoice"): ["INV-1"], ("events", "history"): ["6d1c7f62-5b36-5a3e-9c2f-0123456789ab"], ("events", "show"): ["1"],
    ("dead-letters", "show"): ["1"], ("dead-letters", "retry"): ["1"], ("dead-letters", "discard"): ["1", "--reason", "x"],
}  # fmt: skip


def environment(home: Path, **settings: str) -> dict[str, str]:
    secret = home / "password"
    secret.write_text(CANARY)
    kafka = f"{CANARY}:{CANARY}@127.0.0.1:1"
    given = {"LTC_DATABASE_PASSWORD_FILE": str(secret), "PGPASSWORD": CANARY, "LTC_KAFKA_BOOTSTRAP": kafka, **settings}
    return Ltc(LTC_HOME=str(home / "home"), **given).environment


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_command_and_no_worker_tells_a_secret(home: Path, log_format: str) -> None:
    words = [[*one, *NEEDED.get(one, ["customers", "v1", "v1"][: _needed(one)])] for one in commands() if one[0] != "schema"]
    calls = [["--database-url", url, *one, *as_json] for url in URLS[:2] for one in words for as_json in ([], ["--json"])]
    calls += [
        ["--database-url", url, *one] for url in URLS[2:] for one in (["doctor"], ["report", "funnel"], ["worker", "relay"])
    ]
    calls += [
        ["doctor", "--database-url", URLS[0]],
        ["report", "funnel", "--database-url", URLS[0]],
        [URLS[0]],
        ["submit", URLS[0]],
    ]
    calls += [["--log-format", URLS[0], "doctor"], ["--kafka-bootstrap", f"a:{CANARY}@host", "worker", "command"]]
    found = [
        f"{' '.join(one['words'])}: {one['told'][-600:]}"
        for one in run_all(calls, environment(home, LTC_LOG_FORMAT=log_format), at_once=AT_ONCE)
        if CANARY in one["told"]
    ]
    assert not found, "\n".join(found[:5])


def _needed(words: tuple[str, ...]) -> int:
    return sum(one.param_type_name == "argument" and one.required for one in commands()[words].params)


CRASH = """
import sys
from ltc_events.bootstrap import services
from ltc_events.cli.main import main
def crash(self, *_):
    secret_in_a_local = self.settings.database_url.get_secret_value()
    raise RuntimeError("broken at " + secret_in_a_local)
services.Services.store = crash
sys.argv = ["ltc", "--database-url", sys.argv[1], "events", "tail"]
main()
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("url", [URLS[0], URLS[6]])
def test_a_crash_tells_no_secret(home: Path, log_format: str, url: str) -> None:
    settings = environment(home, LTC_LOG_FORMAT=log_format)
    done = subprocess.run([sys.executable, "-c", CRASH, url], env=settings, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"RuntimeError" in done.stderr, "the trace is told"
    assert CANARY.encode() not in done.stderr + done.stdout


def test_what_a_family_starts_has_no_secret_in_its_words(home: Path) -> None:
    """The settings of `worker all` go to its workers by the environment, which is nobody else's to read."""
    settings = environment(home, LTC_DATABASE_PASSWORD_FILE="", LTC_KAFKA_BOOTSTRAP="")
    del settings["LTC_DATABASE_PASSWORD_FILE"], settings["LTC_KAFKA_BOOTSTRAP"]
    Ltc(LTC_HOME=settings["LTC_HOME"])("init")
    from ltc_events.store import open_database

    url = f"{open_database(None, Path(settings['LTC_HOME']).resolve()).conninfo} password={CANARY}"
    family = subprocess.Popen(
        [sys.executable, "-m", "ltc_events", "worker", "all"], env=settings | {"LTC_DATABASE_URL": url}, stderr=subprocess.PIPE
    )
    try:
        deadline = time.monotonic() + 60
        while len(children := psutil.Process(family.pid).children()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert all(CANARY not in " ".join(one.cmdline()) for one in children)
    finally:
        family.terminate()
        assert CANARY.encode() not in family.communicate(timeout=30)[1]
