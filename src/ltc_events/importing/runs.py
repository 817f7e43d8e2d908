"""Runs of imports by name: every event of a run has its id as correlation, and the id tells whose run it is and when it began."""

import hashlib
from datetime import UTC, datetime
from uuid import UUID

from ltc_events.importing.mapping import MappingFile

_MOMENT_BITS, _HALF_BITS = 48, 62
_VERSION, _VARIANT = 8 << 76, 0b10 << 62


def owner_of(mapping: MappingFile) -> str:
    """By what name the runs of a mapping are known: others that mean the same things by the same keys have runs of their own."""
    return f"{mapping.namespace}/{mapping.name}"


def run_id(owner: str, began: datetime, entropy: int) -> UUID:
    """The id of a run (a UUID, version 8): 48 bits of milliseconds, 12 bits of `entropy`, and 62 bits of whose it is."""
    milliseconds = int(began.timestamp() * 1000) & (1 << _MOMENT_BITS) - 1
    return UUID(int=milliseconds << 80 | _VERSION | (entropy & 0xFFF) << 64 | _VARIANT | _half(owner))


def is_run_of(owner: str, id: UUID) -> bool:
    """Whether a run of this mapping has this id."""
    return id.int & (1 << 64) - 1 == _VARIANT | _half(owner)


def mark_of(owner: str) -> bytes:
    """The last eight bytes of the ids of all runs of a mapping."""
    return (_VARIANT | _half(owner)).to_bytes(8)


def began_at(id: UUID) -> datetime:
    """When the run of this id began, to the millisecond. Raises ValueError where it is not the id of a run."""
    if id.int & (0xF << 76 | 0b11 << 62) != _VERSION | _VARIANT:
        raise ValueError("not the id of a run")
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)


def _half(owner: str) -> int:
    digest = hashlib.sha256(f"import\x1f{owner}".encode()).digest()
    return int.from_bytes(digest[:8]) & (1 << _HALF_BITS) - 1
