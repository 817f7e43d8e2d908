"""Files of a backup: compressed, encrypted if there is a key, checksummed, and written atomically.

An encrypted file is a salt followed by chunks under AES-256-GCM with a key per file. The nonce counts chunks and marks the last
one, so that removing, exchanging or truncating chunks is detected, and so is a chunk of another file.
"""

import hashlib
import os
import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from ltc_events.kernel.errors import Kind, LtcError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK = 1024 * 1024
_SALT_BYTES = 16
_TAG_BYTES = 16
_GZIP = 31
"""What zlib calls a stream with gzip's header."""


class BackupDamaged(LtcError):
    """the file {file} of the backup is not as it was written: {reason}"""

    kind = Kind.DEFECT
    remedy = "take another copy of the backup; nothing was restored from this one"


class Seal(NamedTuple):
    """The size and checksums of a complete file."""

    size: int
    sha256: str


class SealedWriter:
    """Writes one file, which gets its name when the block ends without an error."""

    def __init__(self, path: Path, key: bytes | None) -> None:
        self._path = path
        self._part = path.with_name(f"{path.name}.part")
        self._key = key
        self._compressor = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._size = self._chunks = 0
        self._cipher: AESGCM | None = None
        self.seal = Seal(0, "")

    def __enter__(self) -> Self:
        self._file = self._part.open("wb")
        self._part.chmod(0o600)
        if self._key is not None:
            salt = secrets.token_bytes(_SALT_BYTES)
            self._cipher = _gcm(_file_key(self._key, salt, self._path.name))
            self._put(salt)
        return self

    def write(self, content: bytes) -> None:
        """Append bytes."""
        self._take(self._compressor.compress(content))

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is not None:
            self._file.close()
            self._part.unlink(missing_ok=True)
            return
        self._take(self._compressor.flush())
        self._put_chunk(bytes(self._waiting), last=True)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._part.replace(self._path)
        sync_folder(self._path.parent)
        self.seal = Seal(self._size, self._hash.hexdigest())

    def _take(self, content: bytes) -> None:
        self._waiting += content
        while len(self._waiting) > CHUNK:
            self._put_chunk(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def _put_chunk(self, content: bytes, *, last: bool) -> None:
        if self._cipher is not None:
            content = self._cipher.encrypt(_nonce(self._chunks, last=last), content, None)
            self._chunks += 1
        self._put(content)

    def _put(self, content: bytes) -> None:
        self._file.write(content)
        self._hash.update(content)
        self._size += len(content)


def check(path: Path, seal: Seal) -> None:
    """Check a file against its checksums. Raises BackupDamaged."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while content := file.read(CHUNK):
                digest.update(content)
    except OSError as error:
        raise BackupDamaged(file=path, reason=error.strerror or error) from error
    if digest.hexdigest() != seal.sha256:
        raise BackupDamaged(file=path, reason="its checksum is another one")


def content_of(path: Path, key: bytes | None) -> Iterator[bytes]:
    """The content of a file, in chunks. Raises BackupDamaged."""
    decompressor = zlib.decompressobj(_GZIP)
    try:
        for chunk in _chunks_of(path, key):
            if content := decompressor.decompress(chunk):
                yield content
        if rest := decompressor.flush():
            yield rest
    except zlib.error as error:
        raise BackupDamaged(file=path, reason="it cannot be unpacked") from error
    if not decompressor.eof:
        raise BackupDamaged(file=path, reason="its end is missing")


def _chunks_of(path: Path, key: bytes | None) -> Iterator[bytes]:
    with path.open("rb") as file:
        if key is None:
            while content := file.read(CHUNK):
                yield content
            return
        from cryptography.exceptions import InvalidTag

        cipher = _gcm(_file_key(key, file.read(_SALT_BYTES), path.name))
        number, chunk = 0, file.read(CHUNK + _TAG_BYTES)
        while True:
            following = file.read(CHUNK + _TAG_BYTES)
            try:
                yield cipher.decrypt(_nonce(number, last=not following), chunk, None)
            except InvalidTag as error:
                raise BackupDamaged(file=path, reason="it was encrypted with another key, or changed") from error
            if not following:
                return
            number, chunk = number + 1, following


def sync_folder(folder: Path) -> None:
    """Sync a folder, so that its file names survive a power failure."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _gcm(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _file_key(key: bytes, salt: bytes, name: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(SHA256(), 32, salt, f"ltc backup file {name}".encode()).derive(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])
