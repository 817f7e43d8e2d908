"""The rules themselves, version by version."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, TIMES, times
from ltc_events.schemas.policy import PolicyPublished
from ltc_events.schemas.record import Record


class PolicyVersions(Projection):
    """The versions of every policy, one row each, never changed (R-5, R-75). The last one of a kind is in force."""

    table, version, key = "policies", 3, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **TIMES,
        "kind": column("text", "what the policy rules"),
        "version": column("int4", "number of the version, from 1"),
        "content": column("jsonb", "what it says"),
    }
    indexes = (("kind", "version"),)

    @on(PolicyPublished)
    def published(self, event: PolicyPublished, record: Record) -> Iterator[Operation]:
        content = event.content
        yield Put(record.position, **times(record), kind=content.kind, version=event.version, content=content)
