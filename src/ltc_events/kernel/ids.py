"""Identifiers that follow from what they name, so that doing a thing twice names it the same."""

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
    """The UUID (version 8) of a path of names, for streams of the ledger's own: by its beginning everybody knows that it is one.

    Anybody can compute it, and nobody but the ledger may use it: see `is_reserved`.
    """
    rest = int.from_bytes(hashlib.sha256("\x1f".join(parts).encode()).digest()[:12])
    rest = rest & ~(0xF << 76) | _VERSION << 76
    rest = rest & ~(0b11 << 62) | _VARIANT << 62
    return UUID(int=_RESERVED_FRONT << 96 | rest)


def is_reserved(id: UUID) -> bool:
    """Whether `reserved_id` may have given this one."""
    number = id.int
    return number >> 96 == _RESERVED_FRONT and number >> 76 & 0xF == _VERSION
