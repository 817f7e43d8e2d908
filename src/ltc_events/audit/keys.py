"""The notary's keys, in a file readable by its owner alone: one key a line, all of which sign.

A line is a signer's key in the format of golang.org/x/mod/sumdb/note. Its name is the prefix of the names of the logs
(`host/ledger`): the logs are `host/ledger/events`, `…/outcomes`, `…/refusals`, `…/rolls`.
"""

import os
import secrets
import socket
from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from ltc_events.audit.errors import NoNotaryKey, NotaryKeyExists, NotaryKeyUnreadable
from ltc_events.kernel.errors import LtcError
from ltc_events.proofs import base64_text
from ltc_events.proofs.note import ED25519, KEY_BYTES, Signer, Verifier, is_name

EVENTS, OUTCOMES, REFUSALS, ROLLS = "events", "outcomes", "refusals", "rolls"
LOGS = (EVENTS, OUTCOMES, REFUSALS, ROLLS)
_PREFIX = "PRIVATE+KEY+"


class NotaryKeys(NamedTuple):
    """The name of the ledger, and the seeds of its keys; the first is the present one."""

    name: str
    seeds: Sequence[bytes]

    def origin(self, log: str) -> str:
        """The full name of one of the logs."""
        return f"{self.name}/{log}"

    def signers(self, log: str) -> list[Signer]:
        """The signers of a log."""
        return [Signer(self.origin(log), seed) for seed in self.seeds]

    def verifiers(self, log: str) -> list[Verifier]:
        """The verifiers of a log."""
        return [signer.verifier for signer in self.signers(log)]

    def __repr__(self) -> str:
        return f"NotaryKeys({self.name!r}, {len(self.seeds)} keys)"


def read_keys(file: Path) -> NotaryKeys:
    """Read the key file. Raises NoNotaryKey, NotaryKeyUnreadable."""
    try:
        lines = file.read_text(encoding="ascii").split()
    except FileNotFoundError:
        raise NoNotaryKey(file=file) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not ASCII"
        raise NotaryKeyUnreadable(file=file, reason=reason) from None
    try:
        keys = [_parse(line) for line in lines]
    except (LtcError, ValueError):
        # Without the cause, which might show what is in it.
        raise NotaryKeyUnreadable(file=file, reason="a line of it is no key") from None
    if len({name for name, _ in keys}) != 1:
        raise NotaryKeyUnreadable(file=file, reason="it has no key, or keys of more than one name")
    return NotaryKeys(keys[0][0], [seed for _, seed in keys])


def default_name() -> str:
    """The default name of a ledger on this machine."""
    host = "".join(one for one in socket.gethostname() if one.isalnum() or one in ".-")
    return f"{host or 'localhost'}/ltc"


def make_key(file: Path, name: str | None = None) -> NotaryKeys:
    """Create a key in a new file, readable by its owner alone. Raises NotaryKeyExists, NotaryKeyUnreadable."""
    chosen = default_name() if name is None else name
    line = _line(chosen, secrets.token_bytes(KEY_BYTES), file)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise NotaryKeyExists(file=file) from None
    except OSError as error:
        raise NotaryKeyUnreadable(file=file, reason=error.strerror) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(line)
    return read_keys(file)


def add_key(file: Path, name: str | None = None) -> NotaryKeys:
    """Add a key before the existing ones, which also keep signing; a key under a new name replaces them.

    Raises NoNotaryKey, NotaryKeyUnreadable.
    """
    known = read_keys(file)
    chosen = known.name if name is None else name
    lines = [_line(chosen, secrets.token_bytes(KEY_BYTES), file)]
    if chosen == known.name:
        lines += [_line(chosen, seed, file) for seed in known.seeds]
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as opened:
            opened.write("".join(lines))
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(file)
    except OSError as error:
        raise NotaryKeyUnreadable(file=file, reason=error.strerror) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return read_keys(file)


def is_private(file: Path) -> bool:
    """Whether the file is readable by its owner alone."""
    return os.name != "posix" or not file.stat().st_mode & 0o077


def _line(name: str, seed: bytes, file: Path) -> str:
    if not is_name(name) or "/" not in name.strip("/"):
        raise NotaryKeyUnreadable(file=file, reason="the name of a ledger is host/ledger, without spaces and plus signs")
    return f"{_PREFIX}{name}+{_key_id(name, seed)}+{base64_text.encode(bytes([ED25519]) + seed)}\n"


def _parse(line: str) -> tuple[str, bytes]:
    name, key_id, key = line.removeprefix(_PREFIX).split("+", 2)
    data = base64_text.decode(key, "signing key", size=KEY_BYTES + 1)
    if not line.startswith(_PREFIX) or not is_name(name) or data[0] != ED25519 or key_id != _key_id(name, data[1:]):
        raise ValueError
    return name, data[1:]


def _key_id(name: str, seed: bytes) -> str:
    public = Signer(name, seed).verifier.public
    return sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4].hex()
