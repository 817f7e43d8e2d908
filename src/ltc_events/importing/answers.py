"""What an answer to a command means for the row that it is of."""

from uuid import UUID

from ltc_events.application.errors import NotDecided
from ltc_events.application.pipeline import Answer
from ltc_events.schemas.outcome import Outcome, Status

SETTLED = Outcome(UUID(int=0), "", b"", Status.ACCEPTED)
"""What stands for the answer to a change that the ledger holds by now: somebody else was quicker."""
_NOT_DECIDED = NotDecided().code


def is_refused(answer: Answer) -> bool:
    """Whether it was refused, or is no command."""
    return not isinstance(answer, Outcome) or answer.status is Status.REFUSED


def is_held(answer: Answer) -> bool:
    """Whether it was not decided, as something before it in its row was refused."""
    return isinstance(answer, Outcome) and any(one.code == _NOT_DECIDED for one in answer.reasons)


def is_refused_before(answer: Answer) -> bool:
    """Whether an earlier run had it refused."""
    return isinstance(answer, Outcome) and answer.duplicate and answer.status is Status.REFUSED
