"""The manifest of a backup: which files it has, what they hold, and their checksums. It is written last, and as a whole."""

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ltc_events.kernel.errors import Kind, LtcError
from ltc_events.recovery.sealed_files import BackupDamaged, Seal, sync_folder

NAME = "manifest.json"
FORMAT = 1
_SCRYPT = {"n": 2**15, "r": 8, "p": 1}
_MEMORY_MAX = 64 * 1024 * 1024


class NoBackup(LtcError):
    """there is no backup in {folder}"""

    kind = Kind.USAGE
    remedy = "name the folder that `ltc backup` wrote to"


class BackupKeyWrong(LtcError):
    """the backup in {folder} {what}"""

    kind = Kind.USAGE
    remedy = "give --key-file the file that the backup was begun with; without it, what is encrypted is lost"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FilePart(_Part):
    """A file with rows of a table, as PostgreSQL's binary COPY has them, in these columns."""

    file: str
    table: str
    columns: tuple[str, ...]
    rows: int
    size: int
    sha256: str

    @property
    def seal(self) -> Seal:
        """What the file is known by."""
        return Seal(self.size, self.sha256)


class Segment(FilePart):
    """The events from one position to another; `witness` is the digest of the last of them."""

    first: int
    last: int
    witness: str


class Point(_Part):
    """A moment at which everything but the events was copied, together with the head of the log. Times as ISO 8601 in UTC.

    `recorded_at` is the last moment that the head has handed out, to events or to refusals.
    """

    head: int
    recorded_at: str
    taken_at: str
    epoch: str
    tables: tuple[FilePart, ...]


class Encryption(_Part):
    """How the key follows from what the key file holds (scrypt)."""

    salt: str
    n: int
    r: int
    p: int


class Manifest(_Part):
    """A backup: `ledger` is the name of its first epoch, by which it is told from others."""

    format: int = FORMAT
    ledger: str
    encryption: Encryption | None = None
    segments: tuple[Segment, ...] = ()
    points: tuple[Point, ...] = ()

    @property
    def last(self) -> int:
        """The last position that it holds; 0: none."""
        return self.segments[-1].last if self.segments else 0

    def files(self) -> list[FilePart]:
        """All files that belong to it."""
        return [*self.segments, *(part for point in self.points for part in point.tables)]


def begin(ledger: str, secret: str | None) -> Manifest:
    """The manifest of a backup that begins."""
    return Manifest(ledger=ledger, encryption=(secret and Encryption(salt=secrets.token_hex(16), **_SCRYPT)) or None)


def key_of(manifest: Manifest, folder: Path, secret: str | None) -> bytes | None:
    """The key of its files; None: they are not encrypted. Raises BackupKeyWrong."""
    how = manifest.encryption
    if how is None:
        if secret is not None:
            raise BackupKeyWrong(folder=folder, what="is not encrypted, and a key was given")
        return None
    if secret is None:
        raise BackupKeyWrong(folder=folder, what="is encrypted, and no key was given")
    return hashlib.scrypt(secret.encode(), salt=bytes.fromhex(how.salt), n=how.n, r=how.r, p=how.p, maxmem=_MEMORY_MAX, dklen=32)


def write(folder: Path, manifest: Manifest, key: bytes | None) -> None:
    """Put the manifest in place, at once and for good."""
    document = manifest.model_dump(mode="json")
    part = folder / f"{NAME}.part"
    with part.open("w", encoding="utf-8") as file:
        json.dump({**document, "mac": _mac(document, key)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / NAME)
    sync_folder(folder)


def read(folder: Path, secret: str | None) -> tuple[Manifest, bytes | None]:
    """The manifest in a folder, and the key. Raises NoBackup, BackupDamaged, BackupKeyWrong."""
    path = folder / NAME
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        mac = document.pop("mac")
        manifest = Manifest.model_validate(document)
    except FileNotFoundError as error:
        raise NoBackup(folder=folder) from error
    except (OSError, ValueError, KeyError, AttributeError, ValidationError) as error:
        raise BackupDamaged(file=path, reason="it is no manifest that this version reads") from error
    if manifest.format != FORMAT:
        raise BackupDamaged(file=path, reason=f"it has the format {manifest.format}, and this version reads {FORMAT}")
    if any(Path(part.file).name != part.file for part in manifest.files()):
        raise BackupDamaged(file=path, reason="it names files of another folder")
    key = key_of(manifest, folder, secret)
    if not hmac.compare_digest(str(mac), _mac(document, key)):
        if key is None:
            raise BackupDamaged(file=path, reason="its checksum is another one")
        raise BackupKeyWrong(folder=folder, what="was encrypted with another key, or its manifest was changed")
    return manifest, key


def _mac(document: dict[str, Any], key: bytes | None) -> str:
    """With a key, nobody without it can write another one; without, what was damaged is noticed."""
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(content).hexdigest() if key is None else hmac.new(key, content, hashlib.sha256).hexdigest()
