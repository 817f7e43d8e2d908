"""The manifest of a backup: its files, their content and checksums. It is written last, and atomically."""

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
        """The checksums of the file."""
        return Seal(self.size, self.sha256)


class Segment(FilePart):
    """The events from one position to another; `witness` is the digest of the last of them."""

    first: int
    last: int
    witness: str


class Point(_Part):
    """A consistent copy of everything but the events, at a position of the log. Times are ISO 8601 in UTC.

    `recorded_at` is the last recording time assigned by the head row, to events or refusals.
    """

    head: int
    recorded_at: str
    taken_at: str
    epoch: str
    tables: tuple[FilePart, ...]


class Encryption(_Part):
    """The parameters that derive the key from the content of the key file (scrypt)."""

    salt: str
    n: int
    r: int
    p: int


class Manifest(_Part):
    """A backup; `ledger` is the name of the ledger's first epoch, which identifies it."""

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
        """All files of the backup."""
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
    """Write the manifest atomically and durably."""
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
    """The MAC of the manifest: with a key it detects any change, without one it detects damage."""
    content = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(content).hexdigest() if key is None else hmac.new(key, content, hashlib.sha256).hexdigest()
