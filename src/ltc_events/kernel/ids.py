"""Deterministic identifiers: the same path of names gives the same UUID, so that a repetition makes the same id."""

import hashlib
from uuid import UUID, uuid5

NAMESPACE = UUID("5a1c6c7e-3f0b-5b0e-9d36-6c74632d6576")


def derive_id(*parts: str) -> UUID:
    """The UUID (version 5) of a path of names, e.g. `derive_id("policy", "discount_matrix")`."""
    return uuid5(NAMESPACE, "\x1f".join(parts))


# "ltc" and a zero; then what follows from the names, with the version and the variant of RFC 9562 set in it.
_RESERVED_FRONT = int.from_bytes(b"ltc\0")
_VERSION, _VARIANT = 8, 0b10
RESERVED_TEXT = f"{_RESERVED_FRONT:08x}"


def reserved_id(*parts: str) -> UUID:
    """The UUID (version 8) of a path of names, for the ledger's own streams; its prefix marks it as reserved.

    Anybody can compute it, and only the ledger may use it: see `is_reserved`.
    """
    rest = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:12])
    rest = rest & ~(0xF << 76) | _VERSION << 76
    rest = rest & ~(0b11 << 62) | _VARIANT << 62
    return UUID(int=_RESERVED_FRONT << 96 | rest)


def is_reserved(id: UUID) -> bool:
    """Whether an id has the prefix that `reserved_id` gives."""
    number = id.int
    return number >> 96 == _RESERVED_FRONT and number >> 76 & 0xF == _VERSION
