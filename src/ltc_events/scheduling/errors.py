"""What can stand in the way of looking for what is due."""

from ltc_events.kernel.errors import LtcError


class TablesMissing(LtcError):
    """the read tables that the clock looks at are not there yet"""

    remedy = "run `ltc init`, or start a projector: it makes them"
