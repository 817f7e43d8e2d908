"""Refusals and errors of the pipeline itself, apart from those of the aggregates."""

from ltc_events.kernel.errors import Kind, LtcError, Refused


class CommandIdReused(Refused):
    """command id {id} was used before, for other content"""

    field = "id"
    remedy = "give a new command an id of its own; repeat a command unchanged"


class IdTaken(Refused):
    """{id} is the id of a {other}, not of a {noun}"""

    field = "subject"
    remedy = "choose another id for the {noun}"


class ReservedId(Refused):
    """{id} is the id of a policy, which no {noun} can have"""

    remedy = "choose another id for the {noun}, best a UUID of version 7"


class StaleVersion(Refused):
    """the command was meant for version {expected} of {id}, which has version {found} now"""

    field = "expectedversion"
    remedy = "read what has happened to {id} since, and decide again: with expectedversion {found}, or without one"


class OtherCustomers(Refused):
    """{noun} {id} belongs to another customer"""

    field = "partitionkey"
    remedy = "send the command with the partitionkey of the customer that {noun} {id} belongs to"


class UnregisteredCustomer(Refused):
    """customer {id}, for whom the {noun} is, was never registered"""

    field = "partitionkey"
    remedy = (
        "send customer.register.v1 with subject {id} first, or correct the partitionkey; policy require_registered_customer with "
        "mode = stub registers such a customer by its id alone, with mode = off nobody asks"
    )


class OwnCustomer(Refused):
    """{id} is the id of the {noun} itself, which cannot be its own customer"""

    field = "partitionkey"
    remedy = "set partitionkey to the id of the customer, or give the {noun} an id of its own as subject"


class EventTooLarge(Refused):
    """the command would make a {type} of {size} bytes as JSON, and an event may have {limit}"""

    remedy = "divide what it is about into several documents, each with fewer lines or shorter texts"


class Defect(Refused):
    """ltc-events could not decide this command: {error}"""

    kind = Kind.DEFECT
    remedy = "this is a fault of ltc-events, not of the command; report it, then send the command again with a new id"


class NotDecided(Refused):
    """a command before it, which it goes together with, was refused"""

    remedy = "mend the one that was refused first; this one was not decided, and leaves no trace"


class Contention(LtcError):
    """other writers were quicker {attempts} times in a row, for {seconds} seconds"""

    kind = Kind.UNAVAILABLE
    remedy = "nothing is stored: send the same commands again, in larger batches or from fewer writers at a time"


class NeverSubmitted(LtcError):
    """there is no outcome of command {id}, although its feed is recorded as read beyond it"""

    kind = Kind.DEFECT
    remedy = "the ledger or the feed was replaced by another one of the same name; find out which before going on"


class ServiceBusy(LtcError):
    """{waiting} commands wait to be stored, and at most {limit} may"""

    kind = Kind.UNAVAILABLE
    remedy = "nothing of these is stored: send the same commands again in a moment"


class ServiceClosed(LtcError):
    """the service is shutting down and takes no more commands"""

    kind = Kind.UNAVAILABLE
    remedy = "nothing of these is stored: send the same commands to another instance, or again when this one is back"
