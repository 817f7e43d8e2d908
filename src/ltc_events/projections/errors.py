"""What can go wrong between the log and a read table."""

from ltc_events.kernel.errors import LtcError


class ProjectionMisdeclared(LtcError):
    """the declaration of projection {projection} is wrong: {problem}"""

    remedy = "correct the class; nothing was written"


class OperationInvalid(LtcError):
    """an operation does not fit read table {table}: {problem}"""

    remedy = "correct the handler; key and columns must be those of the declaration"


class TableDiffers(LtcError):
    """the read table {table} has the columns {found}, but its projection declares {declared}"""

    remedy = "raise the projection's version: a table never changes its columns"


class CheckpointMoved(LtcError):
    """projection {projection} is no longer at position {expected}: another projector has taken it on"""

    remedy = "read its checkpoint again and go on from there"
