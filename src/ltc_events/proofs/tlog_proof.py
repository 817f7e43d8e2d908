"""A proof in one file (C2SP tlog-proof): a leaf's index, its inclusion proof, and the checkpoint that it leads to."""

from dataclasses import dataclass

from ltc_events.proofs import base64_text
from ltc_events.proofs.errors import Malformed
from ltc_events.proofs.hashing import HASH_BYTES

HEADER = "c2sp.org/tlog-proof@v1"
HASHES_MAX = 63
_WHAT = "tlog-proof"


@dataclass(frozen=True, slots=True)
class TlogProof:
    """The proof that a leaf is at `index`; `checkpoint` is a signed note, as its bytes."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def __bytes__(self) -> bytes:
        lines = [HEADER, f"index {self.index}", *map(base64_text.encode, self.hashes)]
        return "\n".join(lines).encode() + b"\n\n" + self.checkpoint

    @classmethod
    def parse(cls, data: bytes) -> "TlogProof":
        """Parse a proof file without checking the proof. Raises Malformed."""
        head, blank, checkpoint = data.partition(b"\n\n")
        try:
            lines = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise Malformed(what=_WHAT, problem="there is something else than ASCII above its blank line") from None
        if not blank or len(lines) < 2 or lines[0] != HEADER:
            raise Malformed(what=_WHAT, problem=f"it does not begin with {HEADER}, or has no blank line")
        # What a log may say beside: ours says nothing, and what others say there proves nothing.
        after = 2 if lines[1].startswith("extra ") else 1
        if len(lines) <= after or not lines[after].startswith("index "):
            raise Malformed(what=_WHAT, problem="it does not say the index of its leaf")
        if len(lines) - after - 1 > HASHES_MAX:
            raise Malformed(what=_WHAT, problem=f"it has more than {HASHES_MAX} hashes")
        index = base64_text.decimal(lines[after].removeprefix("index "), _WHAT)
        hashes = tuple(base64_text.decode(line, _WHAT, size=HASH_BYTES) for line in lines[after + 1 :])
        return cls(index, hashes, checkpoint)


def consistency_text(hashes: list[bytes]) -> str:
    """A consistency proof in the format of tlog-witness: one hash a line."""
    return "".join(f"{base64_text.encode(one)}\n" for one in hashes)


def parse_consistency(text: str) -> list[bytes]:
    """Parse a consistency proof in that format. Raises Malformed."""
    lines = text.splitlines()
    if len(lines) > HASHES_MAX:
        raise Malformed(what="consistency proof", problem=f"it has more than {HASHES_MAX} hashes")
    return [base64_text.decode(line, "consistency proof", size=HASH_BYTES) for line in lines]
