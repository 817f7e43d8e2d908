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


class NoSuchBuild(LtcError):
    """there is no {build} of projection {projection}"""

    remedy = "`ltc projections status` names what there is"


class NotInThisProgram(LtcError):
    """this program cannot fold {projection} {build}: it has {known}"""

    remedy = "use a release of the program that has this version"


class KeysDiffer(LtcError):
    """{left} has the key ({left_key}), {right} has the key ({right_key}): their rows stand for different things"""

    remedy = "look at both tables; there is nothing to compare row by row"


class FoldStopped(LtcError):
    """projection {projection} cannot take in {event} at position {position}: {cause}"""

    remedy = "look at it with `ltc events show {position}`, correct the projection, then run the same command again"
