"""The bytes of a leaf as canonical JSON (RFC 8785): the metadata of an event or outcome, with a hash of its content."""

from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import orjson

from ltc_events.schemas.record import RawRecord

SCHEMA = 1
"""`v` in each leaf: its form."""
SCHEMA_WITH_PRINCIPAL = 2
"""The form of outcomes that have a principal; those that were recorded before this was kept have none, and the first form."""


def event_leaf(event: RawRecord) -> bytes:
    """The leaf of an event, index = position - 1: the SHA-256 of the stored bytes, and all other columns."""
    # Written out, in the order of the keys: this runs once for each event of the log, and again at each verification.
    customer = "null" if event.customer_id is None else f'"{event.customer_id}"'
    return (
        b'{"actor":%b,"causation":"%b","command":"%b","correlation":"%b","customer":%b,"data":"%b","effective":"%b",'
        b'"occurred":"%b","position":%d,"recorded":"%b","stream":"%b","type":%b,"v":1,"version":%d}'
    ) % (
        orjson.dumps(event.actor),
        str(event.causation_id).encode(),
        str(event.command_id).encode(),
        str(event.correlation_id).encode(),
        customer.encode(),
        sha256(event.data).hexdigest().encode(),
        event.effective_on.isoformat().encode(),
        moment(event.occurred_at).encode(),
        event.position,
        moment(event.recorded_at).encode(),
        str(event.subject).encode(),
        orjson.dumps(event.type),
        event.version,
    )


def outcome_leaf(
    command_id: UUID,
    command_type: str,
    content_hash: bytes,
    status: str,
    positions: tuple[int, int],
    reasons: Any,
    content: bytes | None,
    recorded_at: datetime,
    principal: str | None = None,
) -> bytes:
    """The leaf of an outcome, with a hash of its content; where a principal is recorded, with him, and in the second form."""
    added = {"v": SCHEMA} if principal is None else {"principal": principal, "v": SCHEMA_WITH_PRINCIPAL}
    return canonical(
        {
            "command": str(command_id),
            "content": None if content is None else sha256(content).hexdigest(),
            "content_hash": content_hash.hex(),
            "first": positions[0],
            "last": positions[1],
            "reasons": sha256(canonical(reasons)).hexdigest(),
            "recorded": moment(recorded_at),
            "status": status,
            "type": command_type,
            **added,
        }
    )


def canonical(document: Any) -> bytes:
    """RFC 8785 of a document of strings, whole numbers, null, lists and objects whose keys are ASCII."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def moment(at: datetime) -> str:
    """A time in UTC with all six digits of its microseconds."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
