"""How the pipeline itself refuses commands, before or beside the rules of the aggregates."""

from ltc_events.kernel.errors import LtcError, Refused


class CommandIdReused(Refused):
    """command id {id} was used before, for other content"""

    field = "id"
    remedy = "give a new command an id of its own; repeat a command unchanged"


class IdTaken(Refused):
    """{id} is the id of a {other}, not of a {noun}"""

    field = "subject"
    remedy = "choose another id for the {noun}"


class OtherCustomers(Refused):
    """{noun} {id} belongs to another customer"""

    field = "partitionkey"
    remedy = "send the command with the partitionkey of the customer that {noun} {id} belongs to"


class Defect(Refused):
    """ltc-events could not decide this command: {error}"""

    remedy = "this is a fault of ltc-events, not of the command; report it, then send the command again with a new id"


class Contention(LtcError):
    """other writers were quicker {attempts} times in a row"""

    remedy = "send the same commands again; run one command worker per partition"


class NeverSubmitted(LtcError):
    """there is no outcome of command {id}, although its feed is recorded as read beyond it"""

    remedy = "the ledger or the feed was replaced by another one of the same name; find out which before going on"
