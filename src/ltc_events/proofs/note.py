"""Signed notes (C2SP signed-note): a text followed by lines with Ed25519 signatures.

A key is identified by its name and by four bytes of a hash over name and key.
"""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ltc_events.proofs import base64_text
from ltc_events.proofs.errors import Malformed, SignatureInvalid, SignatureMissing

ED25519 = 1
COSIGNATURE = 4
"""A witness's: it signs the text with the time at which it saw it (C2SP tlog-cosignature)."""
KEY_BYTES = 32
NOTE_BYTES_MAX = 1_000_000
SIGNATURES_MAX = 100
_DASH = "\N{EM DASH} "


class Verifier(NamedTuple):
    """The public key of a signer, with its name and algorithm."""

    name: str
    public: bytes
    kind: int = ED25519

    @property
    def key_id(self) -> bytes:
        """The four bytes by which a signature line names its key."""
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64_text.encode(bytes([self.kind]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Parse `name+key id+key`. Raises Malformed."""
        name, _, rest = text.strip().partition("+")
        key_id, _, key = rest.partition("+")
        data = base64_text.decode(key, "verifier key", size=KEY_BYTES + 1)
        verifier = cls(name, data[1:], data[0])
        if not is_name(name) or data[0] not in (ED25519, COSIGNATURE):
            raise Malformed(what="verifier key", problem="it has no name, or is of a kind that is not known here")
        if key_id != verifier.key_id.hex():
            raise Malformed(what="verifier key", problem="the id in it is not that of its name and key")
        return verifier

    def holds(self, text: bytes, signature: bytes) -> bool:
        """Whether this is a valid signature of the text by this key."""
        signed = text
        if self.kind == COSIGNATURE:
            if len(signature) != 72:
                return False
            time = int.from_bytes(signature[:8], "big")
            signed, signature = f"cosignature/v1\ntime {time}\n".encode() + text, signature[8:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, signed)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """The private key of a signer."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Raises Malformed for an invalid name, or a key that has not 32 bytes."""
        if not is_name(name) or len(seed) != KEY_BYTES:
            raise Malformed(what="signing key", problem="its name has a space or a plus sign, or its key has not 32 bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def sign(self, text: bytes) -> "Signature":
        """The signature of a text."""
        return Signature(self.verifier.name, self.verifier.key_id, self._key.sign(text))


class Signature(NamedTuple):
    """A signature line: the signer's name, the key id, and the signature."""

    name: str
    key_id: bytes
    signature: bytes

    def line(self) -> str:
        """The line as in the note, with its line feed."""
        return f"{_DASH}{self.name} {base64_text.encode(self.key_id + self.signature)}\n"


class Note(NamedTuple):
    """A text (which ends with a line feed) and its signatures."""

    text: bytes
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return self.text + b"\n" + "".join(map(Signature.line, self.signatures)).encode()

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Parse a note without verifying signatures. Raises Malformed."""
        if len(data) > NOTE_BYTES_MAX:
            raise Malformed(what="signed note", problem=f"it has more than {NOTE_BYTES_MAX} bytes")
        try:
            text = data.decode()
        except UnicodeDecodeError:
            raise Malformed(what="signed note", problem="it is not UTF-8") from None
        if any(ord(one) < 32 and one != "\n" for one in text):
            raise Malformed(what="signed note", problem="there are control characters in it")
        body, blank, lines = text.rpartition("\n\n")
        if not blank or not body or not lines.endswith("\n"):
            raise Malformed(
                what="signed note", problem="it has no blank line with signatures below, or its last line does not end"
            )
        signatures = [_signature(line) for line in lines[:-1].split("\n")]
        if len(signatures) > SIGNATURES_MAX:
            raise Malformed(what="signed note", problem=f"it has more than {SIGNATURES_MAX} signatures")
        return cls(f"{body}\n".encode(), tuple(signatures))

    def signed_by(self, verifier: Verifier) -> bool:
        """Whether a line is by this key. Raises SignatureInvalid where a line names this key and does not verify."""
        mine = [one for one in self.signatures if (one.name, one.key_id) == (verifier.name, verifier.key_id)]
        if any(not verifier.holds(self.text, one.signature) for one in mine):
            raise SignatureInvalid(name=verifier.name)
        return bool(mine)

    def require(self, verifiers: Iterable[Verifier]) -> None:
        """Require a signature by at least one of these keys of the log. Raises SignatureInvalid, SignatureMissing."""
        names = []
        for verifier in verifiers:
            if self.signed_by(verifier):
                return
            names.append(str(verifier))
        raise SignatureMissing(name=" or ".join(names) or "a key that is known here")

    def signed_too(self, signatures: Iterable[Signature]) -> "Note":
        """The note with further signatures; existing ones are not repeated."""
        return self._replace(signatures=tuple(dict.fromkeys((*self.signatures, *signatures))))


def is_name(name: str) -> bool:
    """Whether this is a valid name of a signer."""
    return bool(name) and "+" not in name and name.isprintable() and not any(map(str.isspace, name))


def _signature(line: str) -> Signature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not is_name(name):
        raise Malformed(what="signed note", problem="a line below the blank one is no signature")
    data = base64_text.decode(encoded, "signed note")
    if len(data) < 5:
        raise Malformed(what="signed note", problem="a signature is too short")
    return Signature(name, data[:4], data[4:])
