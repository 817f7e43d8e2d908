"""Errors of the read tables, from declaration to switch."""

from ltc_events.kernel.errors import Kind, LtcError


class ProjectionMisdeclared(LtcError):
    """the declaration of projection {projection} is wrong: {problem}"""

    kind = Kind.DEFECT
    remedy = "correct the class; nothing was written"


class OperationInvalid(LtcError):
    """an operation does not fit read table {table}: {problem}"""

    kind = Kind.DEFECT
    remedy = "correct the handler; key and columns must be those of the declaration"


class TableDiffers(LtcError):
    """the read table {table} has the columns {found}, but its projection declares {declared}"""

    kind = Kind.DEFECT
    remedy = "raise the projection's version: a table never changes its columns"


class CheckpointMoved(LtcError):
    """projection {projection} is no longer at position {expected}: another projector took it on, or the store went back"""

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

    kind = Kind.DEFECT
    remedy = "look at it with `ltc events show {position}`, correct the projection, then run the same command again"


class NothingParked(LtcError):
    """{who} is parked in {projection} {build}"""

    remedy = "`ltc projections letters` says what is left out; what was skipped comes back with `ltc projections rebuild --anew`"


class DependentsInTheWay(LtcError):
    """{projection} {build} has no columns {columns} as the view shows them now, and others built on the view: {dependents}"""

    remedy = "drop or change {dependents} first, then switch"


class RebuildRunning(LtcError):
    """somebody is rebuilding projection {projection} at this moment"""

    remedy = "`ltc projections status` shows how far; `ltc projections cancel {projection}` ends it"


class WorkerEnded(LtcError):
    """a process that rebuilds tables ended before its work was done"""

    kind = Kind.DEFECT
    remedy = "its log says why; the same command goes on where it was"


class RebuildCancelled(LtcError):
    """the rebuild of projection {projection} as {build} was cancelled"""

    remedy = "`ltc projections status {projection}` says by whom and why"


class AlreadyBuilt(LtcError):
    """projection {projection} is already built in version {version}"""

    remedy = "`ltc projections rebuild {projection} --anew` builds the same version beside it"


class NothingToCancel(LtcError):
    """no rebuild of projection {projection} is unfinished"""

    remedy = "`ltc projections drop` removes a table that is finished"


class Behind(LtcError):
    """{projection} {build} is at position {position}, behind {shown} at {shown_position}: readers would see the past"""

    remedy = "let a projector of that version catch up (`ltc projections catch-up`), or switch at once: --force with a reason"


class Unexplained(LtcError):
    """{projection} {build} differs from {shown} in {differences}, and its declaration does not say why"""

    remedy = (
        "see `ltc projections diff {projection} {shown} {build}`; name the columns in `changed`, or use --force with a reason"
    )


class ReadersInTheWay(LtcError):
    """the view {projection} could not be changed: readers hold it in long transactions"""

    kind = Kind.UNAVAILABLE
    remedy = "try again; pg_stat_activity names the transactions"


class InUse(LtcError):
    """{projection} {build} is {state}"""

    remedy = "switch to another build first, or cancel the rebuild"


class SwitchedMeanwhile(LtcError):
    """readers of {projection} do not see {was} any more: somebody else has switched meanwhile"""

    remedy = "`ltc projections status {projection}` says what they see now, by whom and why"


class ReasonMissing(LtcError):
    """--force needs a reason"""

    kind = Kind.USAGE
    remedy = 'add --reason "…"; it is kept and shown by `ltc projections status`'


class FedElsewhere(LtcError):
    """the read tables take their events from {source}, not from the store"""

    remedy = "run `ltc worker projector --source kafka`, or let the store feed them: `ltc projections source store`"


class FedFromStore(LtcError):
    """the read tables take their events from {source}, not from {topic}"""

    remedy = "hand them over with `ltc projections source kafka`, or run `ltc worker projector --source store`"


class EventsGone(LtcError):
    """{topic} partition {partition} has messages from {begin} to {end} only, and the read tables are at {offset}"""

    kind = Kind.DEFECT
    remedy = "run `ltc projections source store`, then `ltc projections source kafka`: what is missing comes from the store"


class EventMisplaced(LtcError):
    """the event at position {position} is on partition {partition} of {topic}, and belongs on {home}"""

    kind = Kind.DEFECT
    remedy = "restart the relay, run `ltc projections source store`, then `ltc projections source kafka`"


class PartitionsChanged(LtcError):
    """{topic} has {partitions} partitions now, and the read tables know how far they are in {known}"""

    kind = Kind.DEFECT
    remedy = "restart the relay, run `ltc projections source store`, then `ltc projections source kafka`"
