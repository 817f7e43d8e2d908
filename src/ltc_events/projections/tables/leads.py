"""Leads: who they are, and where they stand."""

from collections.abc import Iterator

from ltc_events.projections.declaration.projection import Operation, Projection, Put, column, on
from ltc_events.projections.tables.customers import PHONE_E164
from ltc_events.projections.tables.times import TIMES, times
from ltc_events.schemas.follow_up import FirstResponseRecorded
from ltc_events.schemas.lead import (
    LeadAccepted,
    LeadAssigned,
    LeadCaptured,
    LeadConverted,
    LeadDetailRecorded,
    LeadDisqualified,
    LeadQualified,
    LeadRejected,
    LeadScored,
    TemperatureChanged,
)
from ltc_events.schemas.record import Record

_STATUS = {
    LeadAccepted: "accepted",
    LeadRejected: "rejected",
    LeadQualified: "qualified",
    LeadConverted: "converted",
    LeadDisqualified: "disqualified",
}


class Leads(Projection):
    """Leads, one row each: what was captured, which never changes, and where the lead stands now (R-1 … R-7, R-14 … R-17).
    The times are those of its capture. What it was at an earlier date or position, `lead_steps` knows."""

    table, version, key = "leads", 2, ("lead_id",)
    columns = {
        "lead_id": column("uuid", "the lead"),
        "position": column("int8", "position of its capture in the log"),
        **TIMES,
        "customer_id": column("uuid", "the customer it names"),
        "contact_name": column("text", "whom to talk to"),
        "company": column("text", "the company as it was written down"),
        "phone": column("text", "telephone number as it came"),
        **PHONE_E164,
        "email": column("text", "e-mail address"),
        "industry": column("text", "industry"),
        "need": column("text", "summary of the need"),
        "channel": column("text", "channel it came by"),
        "origin": column("text", "what its source calls that channel"),
        "campaign_id": column("uuid", "the campaign that brought it"),
        "source_activity": column("text", "the activity that brought it"),
        "captured_by": column("text", "who captured it"),
        "region": column("text", "sales region"),
        "priority": column("text", "low, normal, high or urgent"),
        "response_due_at": column("timestamptz", "until when a first response is due"),
        "external_references": column("jsonb", "its names in other systems"),
        "detail": column("jsonb", "what more is known of the need, as it was said last"),
        "status": column("text", "captured, accepted, rejected, qualified, converted or disqualified"),
        "first_response_at": column("timestamptz", "when somebody first answered it"),
        "temperature": column("text", "cold, warm or hot"),
        "score": column("numeric", "its last score"),
        "owner": column("text", "who owns it"),
        "opportunity_id": column("uuid", "the opportunity it became"),
        "reason": column("text", "why it was rejected or disqualified"),
    }
    indexes = (("customer_id",),)

    @on(LeadCaptured)
    def captured(self, event: LeadCaptured, record: Record) -> Iterator[Operation]:
        yield Put(
            record.subject,
            position=record.position,
            **times(record),
            customer_id=record.customer_id,
            contact_name=event.contact_name,
            company=event.company,
            phone=event.phone,
            phone_e164=event.phone_e164,
            email=event.email,
            industry=event.industry,
            need=event.need,
            channel=event.channel,
            origin=event.origin,
            campaign_id=event.campaign_id,
            source_activity=event.source_activity,
            captured_by=event.captured_by,
            region=event.region,
            priority=event.priority,
            response_due_at=event.response_due_at,
            external_references=event.references,
            detail=event.detail,
            status="captured",
            temperature="cold",
        )

    @on(LeadAccepted, LeadQualified)
    def moved(self, event: LeadAccepted | LeadQualified, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status=_STATUS[type(event)])

    @on(FirstResponseRecorded)
    def answered(self, _: FirstResponseRecorded, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, first_response_at=record.occurred_at)

    @on(LeadConverted)
    def converted(self, event: LeadConverted, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status="converted", opportunity_id=event.opportunity_id)

    @on(LeadRejected, LeadDisqualified)
    def closed(self, event: LeadRejected | LeadDisqualified, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, status=_STATUS[type(event)], reason=event.reason)

    @on(LeadDetailRecorded)
    def described(self, event: LeadDetailRecorded, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, detail=event.detail)

    @on(TemperatureChanged)
    def warmed(self, event: TemperatureChanged, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, temperature=event.temperature)

    @on(LeadScored)
    def scored(self, event: LeadScored, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, score=event.score)

    @on(LeadAssigned)
    def assigned(self, event: LeadAssigned, record: Record) -> Iterator[Operation]:
        yield Put(record.subject, owner=event.owner)
