"""What can go wrong between the log and a read table."""

from ltc_events.kernel.errors import LtcError


class ProjectionMisdeclared(LtcError):
    """the declaration of projection {projection} is wrong: {problem}"""

    remedy = "correct the class; nothing was written"


class OperationInvalid(LtcError):
    """an operation does not fit read table {table}: {problem}"""

    remedy = "correct the handler; key and columns must be those of the declaration"
