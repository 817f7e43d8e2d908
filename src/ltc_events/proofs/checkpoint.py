"""A checkpoint (C2SP tlog-checkpoint): the size of a log and its root, signed by the log's key."""

from collections.abc import Iterable
from typing import NamedTuple

from ltc_events.proofs import base64_text
from ltc_events.proofs.errors import Malformed
from ltc_events.proofs.hashing import EMPTY_ROOT, HASH_BYTES
from ltc_events.proofs.note import Note, Signer, Verifier


class Checkpoint(NamedTuple):
    """The root over `size` leaves of the log with this origin (its name)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> bytes:
        """The signed text."""
        return f"{self.origin}\n{self.size}\n{base64_text.encode(self.root)}\n".encode()

    def sign(self, signers: Iterable[Signer]) -> Note:
        """The checkpoint as a signed note."""
        text = self.text()
        return Note(text, tuple(signer.sign(text) for signer in signers))

    @classmethod
    def parse(cls, text: bytes) -> "Checkpoint":
        """Parse the text of a note. Raises Malformed."""
        lines = text.decode(errors="replace").split("\n")
        if len(lines) != 4 or not lines[0] or lines[3]:
            raise Malformed(what="checkpoint", problem="it has not exactly three lines: log, size, root")
        size = base64_text.decimal(lines[1], "checkpoint")
        root = base64_text.decode(lines[2], "checkpoint", size=HASH_BYTES)
        if size == 0 and root != EMPTY_ROOT:
            raise Malformed(what="checkpoint", problem="its size is 0, and its root is not that of nothing")
        return cls(lines[0], size, root)


def open_checkpoint(data: bytes, verifiers: Iterable[Verifier], origin: str | None = None) -> tuple[Checkpoint, Note]:
    """Parse a checkpoint signed by one of these keys, and by `origin`, if given, of that log.

    Raises Malformed, SignatureInvalid, SignatureMissing.
    """
    note = Note.parse(data)
    note.require(verifiers)
    checkpoint = Checkpoint.parse(note.text)
    if origin is not None and checkpoint.origin != origin:
        raise Malformed(what=f"checkpoint of {origin}", problem=f"it is one of {checkpoint.origin}")
    return checkpoint, note
