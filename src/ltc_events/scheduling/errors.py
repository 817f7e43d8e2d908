"""Errors of the search for due work."""

from ltc_events.kernel.errors import Kind, LtcError


class TablesMissing(LtcError):
    """the read tables that the clock looks at are not there yet"""

    kind = Kind.UNAVAILABLE
    remedy = "run `ltc init`, or start a projector: it makes them"
