"""Rules of the sales side that need more than the aggregate the command was sent to."""

from ltc_events.aggregates import policy
from ltc_events.aggregates.policy import POLICY, WrongPolicyStream, policy_id
from ltc_events.application.work import Work
from ltc_events.schemas.policy import PublishPolicy


def publish_policy(command: PublishPolicy, work: Work) -> None:
    """Put the next version of a policy in force, in the stream that this kind of policy has (R-75)."""
    kind = command.content.kind
    expected = policy_id(kind)
    if work.subject != expected:
        raise WrongPolicyStream(kind=kind, expected=expected)
    state = work.find(POLICY, expected)
    work.emit(POLICY, expected, *policy.decide(state, command, work.policies))
