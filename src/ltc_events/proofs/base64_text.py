"""Strict base64 and decimals: text that another decoder could read differently is refused."""

from base64 import b64decode, b64encode
from binascii import Error

from ltc_events.proofs.errors import Malformed


def encode(data: bytes) -> str:
    """Standard base64, padded."""
    return b64encode(data).decode()


def decode(text: str, what: str, *, size: int | None = None) -> bytes:
    """The bytes, `size` of them where that is given. Raises Malformed."""
    try:
        data = b64decode(text.encode("ascii"), validate=True)
    except (Error, ValueError):
        raise Malformed(what=what, problem="a line is not base64") from None
    if encode(data) != text:
        raise Malformed(what=what, problem="a line is base64 in another form than the one form it has")
    if size is not None and len(data) != size:
        raise Malformed(what=what, problem=f"a line has {len(data)} bytes where {size} are asked for")
    return data


def decimal(text: str, what: str) -> int:
    """A canonical decimal: digits without a leading zero, less than 2^63. Raises Malformed."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or str(int(text)) != text or int(text) >= 1 << 63:
        raise Malformed(what=what, problem="a number is not written as digits without a leading zero, or is too large")
    return int(text)
