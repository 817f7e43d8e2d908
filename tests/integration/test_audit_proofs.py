"""Proofs in files, and the log as files: they hold by themselves, with the key alone, and nothing that was changed does."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from tests.commits import batch, refused
from tests.merkle import mth
from tests.notaries import superuser
from typer.testing import CliRunner

from ltc_events.audit.errors import HistoryChanged, NotCovered
from ltc_events.cli.main import app
from ltc_events.proofs.errors import Malformed, RootDiffers, SignatureInvalid, SignatureMissing
from ltc_events.proofs.leaf import event_leaf
from ltc_events.proofs.proof import check_consistency
from ltc_events.proofs.tlog_proof import parse_consistency
from ltc_events.store import Commit, Database, EventStore

Ltc = Callable[..., Any]
GO = Path(__file__).parents[1] / "go"
FSCK = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4"


@pytest.fixture
def ltc(database: Database, tmp_path: Path) -> Ltc:
    environment = {"LTC_DATABASE_URL": database.conninfo, "LTC_NOTARY_KEY_FILE": str(tmp_path / "keys" / "notary.key")}

    def call(*words: object, exits: int = 0) -> Any:
        result = CliRunner().invoke(app, list(map(str, words)), env=environment)
        assert result.exit_code == exits, (result.output, result.exception)
        return result

    call("audit", "init-key", "--name", "ledger.example/main")
    return call


@pytest.fixture
def signed(ltc: Ltc, event_store: EventStore, tmp_path: Path) -> Path:
    """A ledger with 700 events, signed at 600 and at 700; the folder with both checkpoints and the key."""
    event_store.append(batch(300))
    event_store.append(Commit([], [refused(uuid4())]))
    (tmp_path / "old").write_text(ltc("audit", "checkpoint").stdout)
    event_store.append(batch(50))
    (tmp_path / "new").write_text(ltc("audit", "checkpoint").stdout)
    (tmp_path / "vkey").write_text(ltc("audit", "keys").stdout.splitlines()[0] + "\n")
    return tmp_path


def root_in(checkpoint: Path) -> bytes:
    from ltc_events.proofs.checkpoint import Checkpoint
    from ltc_events.proofs.note import Note

    return Checkpoint.parse(Note.parse(checkpoint.read_bytes()).text).root


def test_a_proof_holds_with_the_key_alone(ltc: Ltc, signed: Path, event_store: EventStore) -> None:
    for position in (1, 256, 257, 600, 699, 700):
        name = signed / f"p{position}"
        ltc("audit", "proof", position, "-o", name)
        (event,) = event_store.read_raw(position - 1, 1)
        assert Path(f"{name}.leaf").read_bytes() == event_leaf(event)
        away = CliRunner().invoke(app, ["audit", "check-proof", str(name), "--vkey", str(signed / "vkey")])
        assert away.exit_code == 0, "no database is asked"
        assert f"leaf {position - 1} of 700 of ledger.example/main/events" in away.output


def test_a_changed_proof_does_not_hold(ltc: Ltc, signed: Path) -> None:
    name, key = signed / "p", signed / "vkey"
    ltc("audit", "proof", 7, "-o", name)
    leaf, proof = Path(f"{name}.leaf"), Path(f"{name}.tlog-proof")
    whole, proved = leaf.read_bytes(), proof.read_text()
    for path, data, error in (
        (leaf, whole.replace(b"tester", b"nobody"), RootDiffers),
        (proof, proved.replace("index 6", "index 7").encode(), RootDiffers),
        (proof, proved.replace("index 6", "index 700").encode(), Malformed),
        (proof, proved.replace("\n700\n", "\n701\n").encode(), SignatureInvalid),
        (proof, "\n".join(line for n, line in enumerate(proved.split("\n")) if n != 2).encode(), Malformed),
    ):
        kept = path.read_bytes()
        path.write_bytes(data)
        assert isinstance(ltc("audit", "check-proof", name, "--vkey", key, exits=1).exception, error)
        path.write_bytes(kept)
    ltc("audit", "rotate-key", "--name", "ledger.example/other")
    key.write_text(ltc("audit", "keys").stdout.splitlines()[0])
    assert isinstance(ltc("audit", "check-proof", name, "--vkey", key, exits=1).exception, SignatureMissing)


def test_a_policy_says_whom_to_believe(ltc: Ltc, signed: Path) -> None:
    ltc("audit", "proof", 7, "-o", signed / "p")
    policy = signed / "policy"
    policy.write_text(f"log {(signed / 'vkey').read_text()}quorum none\n")
    ltc("audit", "check-proof", signed / "p", "--policy", policy)
    ltc("audit", "check-proof", signed / "p", exits=2)
    ltc("audit", "check-proof", signed / "p", "--policy", policy, "--vkey", signed / "vkey", exits=2)
    ltc("audit", "check-proof", signed / "not there", "--policy", policy, exits=2)


def test_the_log_only_grew(ltc: Ltc, signed: Path) -> None:
    proof = parse_consistency(ltc("audit", "consistency", 600).stdout)
    check_consistency(600, 700, root_in(signed / "old"), root_in(signed / "new"), proof)
    assert ltc("audit", "consistency", 600, 700).stdout == ltc("audit", "consistency", 600).stdout
    assert ltc("audit", "consistency", 700).stdout == ""
    for words in ((701,), (600, 701), (650, 600)):
        assert isinstance(ltc("audit", "consistency", *words, exits=1).exception, NotCovered)


def test_what_is_not_signed_or_no_longer_so_is_not_proved(
    ltc: Ltc, signed: Path, database: Database, event_store: EventStore
) -> None:
    event_store.append(batch(1))
    assert isinstance(ltc("audit", "proof", 701, "-o", signed / "p", exits=1).exception, NotCovered)
    with superuser(database) as owner:
        owner.execute("UPDATE ltc.events SET actor = 'somebody' WHERE position = 5")
    assert isinstance(ltc("audit", "proof", 5, "-o", signed / "p", exits=1).exception, HistoryChanged)
    assert isinstance(ltc("audit", "export", signed / "log", exits=1).exception, HistoryChanged)
    assert not (signed / "log" / "checkpoint").exists()
    assert not list(signed.glob("p.*"))


def test_each_log_is_written_as_tiles_and_grows_where_it_is(ltc: Ltc, signed: Path, event_store: EventStore) -> None:
    folder = signed / "log"
    ltc("audit", "export", folder)
    assert (folder / "checkpoint").read_bytes() == (signed / "new").read_bytes()
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "checkpoint", "vkey", "tile/0/000", "tile/0/001", "tile/0/002.p/188", "tile/1/000.p/2",
        "tile/entries/000", "tile/entries/001", "tile/entries/002.p/188",
    }  # fmt: skip
    entries = (folder / "tile/entries/002.p/188").read_bytes()
    length = int.from_bytes(entries[:2], "big")
    (event,) = event_store.read_raw(512, 1)
    assert entries[2 : 2 + length] == event_leaf(event)
    event_store.append(batch(100))
    ltc("audit", "checkpoint")
    ltc("audit", "export", folder)
    assert root_in(folder / "checkpoint") == mth([event_leaf(one) for one in event_store.read_raw(0, 1000)])
    assert (folder / "tile/0/003.p/132").exists()
    for log, size in (("outcomes", 450), ("refusals", 1), ("rolls", 3)):
        ltc("audit", "export", folder / log, "--log", log)
        assert (folder / log / "checkpoint").read_text().split("\n")[:2] == [f"ledger.example/main/{log}", str(size)]


@pytest.fixture(scope="session")
def go_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with our program on golang.org/x/mod/sumdb and with tessera's fsck. Where they cannot be had, it is said."""
    unknown = "golang.org/x/mod/sumdb and tessera's fsck were not run: "
    if shutil.which("go") is None:
        pytest.skip(f"{unknown}there is no Go here")
    folder = tmp_path_factory.mktemp("go")
    environment = os.environ | {"GOBIN": str(folder), "GOFLAGS": "-mod=mod"}
    for words in (("build", "-mod=readonly", "-o", folder / "checks", "."), ("install", FSCK)):
        try:
            made = subprocess.run(["go", *words], cwd=GO, env=environment, capture_output=True, timeout=400, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip(f"{unknown}they were not built within 400 seconds")
        if made.returncode:
            pytest.skip(f"{unknown}{made.stderr.decode().strip()[-200:]}")
    return folder


def run(program: Path, *words: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program, *map(str, words)], capture_output=True, timeout=120, check=False)


def test_the_go_checksum_database_accepts_our_proofs(ltc: Ltc, signed: Path, go_programs: Path) -> None:
    ltc("audit", "proof", 500, "-o", signed / "p")
    key = signed / "vkey"
    told = run(go_programs / "checks", "inclusion", key, signed / "p.leaf", signed / "p.tlog-proof")
    assert told.stdout == b"holds\n", told.stderr
    (signed / "consistency").write_text(ltc("audit", "consistency", 600).stdout)
    told = run(go_programs / "checks", "consistency", key, signed / "old", signed / "new", signed / "consistency")
    assert told.stdout == b"holds\n", told.stderr
    leaf = signed / "p.leaf"
    leaf.write_bytes(leaf.read_bytes()[:-2] + b"9}")
    assert b"inclusion" in run(go_programs / "checks", "inclusion", key, leaf, signed / "p.tlog-proof").stderr


def test_tessera_accepts_our_folder(ltc: Ltc, signed: Path, go_programs: Path) -> None:
    folder = signed / "log"
    ltc("audit", "export", folder)
    told = run(go_programs / "fsck", "--ui=false", f"--storage_url=file://{folder}/", f"--public_key={folder / 'vkey'}")
    assert told.returncode == 0, told.stderr
    assert b"checking log of size 700" in told.stderr
    rolls = signed / "rolls"
    ltc("audit", "export", rolls, "--log", "rolls")
    told = run(go_programs / "fsck", "--ui=false", f"--storage_url=file://{rolls}/", f"--public_key={rolls / 'vkey'}")
    assert told.returncode == 0, told.stderr
    assert b"checking log of size 2" in told.stderr
    other = signed / "other"
    other.write_text((folder / "vkey").read_text().replace("main/events", "main/other"))
    assert run(go_programs / "fsck", "--ui=false", f"--storage_url=file://{folder}/", f"--public_key={other}").returncode != 0
