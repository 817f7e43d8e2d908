"""Every rule that crosses aggregates, by the type of command that it decides."""

from ltc_events.application.rules.selling import publish_policy
from ltc_events.application.work import Rule
from ltc_events.schemas.base import Command
from ltc_events.schemas.policy import PublishPolicy

RULES: dict[type[Command], Rule] = {
    PublishPolicy: publish_policy,
}
