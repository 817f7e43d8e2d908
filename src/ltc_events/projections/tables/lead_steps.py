"""How leads went on, step by step."""

from collections.abc import Iterator
from typing import Any

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.times import POSITION, STEPPED, stepped
from ltc_events.schemas.follow_up import FirstResponseRecorded, ResponseBreached
from ltc_events.schemas.lead import (
    LeadAccepted,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDisqualified,
    LeadQualified,
    LeadRejected,
    LeadScored,
    TemperatureChanged,
)
from ltc_events.schemas.record import Record


class LeadSteps(Projection):
    """How leads went on: one row per step, never changed (R-2, R-14 … R-17, R-21, R-23). The rows of a lead up to a date and
    position, in the order of their positions, say where it stood by then."""

    table, version, key = "lead_steps", 2, ("position",)
    append_only = True
    columns = {
        **POSITION,
        **STEPPED,
        "customer_id": column("uuid", "the customer"),
        "lead_id": column("uuid", "the lead"),
        "step": column(
            "text",
            "captured, accepted, rejected, temperature_changed, scored, assigned, contacted (the first response),"
            " response_breached, qualified, converted or disqualified",
        ),
        "person": column("text", "assigned: the new owner; contacted: who answered; captured: who captured it"),
        "score": column("numeric", "scored: the score"),
        "temperature": column("text", "temperature_changed: cold, warm or hot"),
        "in_time": column("bool", "contacted: whether the response kept the service level"),
        "policy_version": column("int4", "version of the policy that decided the step"),
        "note": column("text", "why, or by what rule or medium"),
    }
    indexes = (("lead_id", "position"),)

    @on(LeadCaptured)
    def captured(self, event: LeadCaptured, record: Record) -> Iterator[Operation]:
        yield _step(record, "captured", person=event.captured_by, policy_version=event.policy_version)

    @on(LeadAccepted)
    def accepted(self, _: LeadAccepted, record: Record) -> Iterator[Operation]:
        yield _step(record, "accepted")

    @on(LeadRejected)
    def rejected(self, event: LeadRejected, record: Record) -> Iterator[Operation]:
        yield _step(record, "rejected", note=event.reason)

    @on(TemperatureChanged)
    def temperature_changed(self, event: TemperatureChanged, record: Record) -> Iterator[Operation]:
        yield _step(record, "temperature_changed", temperature=event.temperature, note=event.reason)

    @on(LeadScored)
    def scored(self, event: LeadScored, record: Record) -> Iterator[Operation]:
        yield _step(record, "scored", score=event.score, policy_version=event.model_version)

    @on(LeadAssigned)
    def assigned(self, event: LeadAssigned, record: Record) -> Iterator[Operation]:
        yield _step(record, "assigned", person=event.owner, policy_version=event.rule_version, note=event.rule)

    @on(FirstResponseRecorded)
    def contacted(self, event: FirstResponseRecorded, record: Record) -> Iterator[Operation]:
        yield _step(record, "contacted", person=event.by, in_time=event.in_time, note=event.medium)

    @on(ResponseBreached)
    def response_breached(self, _: ResponseBreached, record: Record) -> Iterator[Operation]:
        yield _step(record, "response_breached")

    @on(LeadQualified)
    def qualified(self, event: LeadQualified, record: Record) -> Iterator[Operation]:
        yield _step(record, "qualified", note=event.need)

    @on(LeadConverted)
    def converted(self, event: LeadConverted, record: Record) -> Iterator[Operation]:
        yield _step(record, "converted", note=event.evidence_note)

    @on(LeadDisqualified)
    def disqualified(self, event: LeadDisqualified, record: Record) -> Iterator[Operation]:
        yield _step(record, "disqualified", note=event.reason)


def _step(record: Record, step: str, **values: Any) -> Operation:
    return Put(record.position, **stepped(record), customer_id=record.customer_id, lead_id=record.subject, step=step, **values)
