"""The duties of the clock: each finds due work with one query, and builds the command for it.

A query gives rows of `customer_id`, `subject` (null: a new id derived from the occasion), `occasion` (a stable text that
identifies the cause), `at` (the command's time) and `data`. All of them depend on recorded data alone, so that two clocks, or a
restarted one, send the same command with the same id: it happens once.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.aggregates.contract import RENEWAL_AHEAD_DAYS
from ltc_events.kernel.ids import derive_id
from ltc_events.kernel.principals import Principal, PrincipalKind
from ltc_events.kernel.time_zones import day_in, zone_named
from ltc_events.schemas.base import Command
from ltc_events.schemas.contract import FlagRenewal, RenewContract
from ltc_events.schemas.envelope import document
from ltc_events.schemas.follow_up import MissFollowUp, RecordResponseBreach
from ltc_events.schemas.invoice import IssueInvoice
from ltc_events.schemas.quote import ExpireQuote
from ltc_events.store.sql_files import Statements, read_sql

SOURCE = "ltc-clock"
CLOCK = Principal(PrincipalKind.WORKER, "clock")
"""Who sends what becomes due, where it does not go over Kafka."""
SOON_S = 5.0
"""How often we look for what is due at some minute of the day."""
DAILY_S = 600.0
"""How often we look for what is due on some day: its first minutes, and whenever a clock was away."""


class Due(NamedTuple):
    """A row of a duty's query."""

    customer_id: UUID
    subject: UUID | None
    occasion: str
    at: datetime
    data: Mapping[str, Any]


class Duty:
    """One kind of due work."""

    def __init__(self, name: str, command: type[Command], every_s: float, meaning: str) -> None:
        self.name = name
        self.command = command
        self.every_s = every_s
        self.meaning = meaning

    @cached_property
    def query(self) -> bytes:
        """The SQL, with the parameters `now` (UTC), `today` and `ahead_days`."""
        return read_sql("ltc_events.scheduling", self.name).encode()

    def document(self, due: Due) -> dict[str, Any]:
        """The command for a row, as a structured-mode CloudEvent."""
        kind = self.command.type
        return document(
            self.command.model_validate(due.data),
            command_id=derive_id("clock", kind, due.occasion),
            subject=due.subject or derive_id("clock", "subject", kind, due.occasion),
            customer_id=due.customer_id,
            source=SOURCE,
            time=due.at,
            actor=SOURCE,
        )


DUTIES = (
    Duty("response-breaches", RecordResponseBreach, SOON_S, "the time for a first response to a lead has passed (R-17)"),
    Duty("missed-follow-ups", MissFollowUp, SOON_S, "the time of a planned follow-up has passed (R-18)"),
    Duty("expired-quotes", ExpireQuote, DAILY_S, "the validity of a quote has ended without an answer (R-50)"),
    Duty("due-renewals", FlagRenewal, DAILY_S, "it is time to decide how a contract goes on (R-62)"),
    Duty("automatic-renewals", RenewContract, DAILY_S, "a contract goes on because nobody gave notice in time (R-62)"),
    Duty("billing-run", IssueInvoice, DAILY_S, "something can be billed, and policy `billing` says that we do so (R-64)"),
)


CLOCK_COMMANDS = tuple(dict.fromkeys(duty.command.type.rpartition(".")[0] for duty in DUTIES))
"""What policy `access` must give the clock, by the names that rules have."""

_SQL = Statements(__name__)
COMPANY = _SQL["company_time_zone"]
"""The query for the company's time zone; no row: policy `company` was never published."""


REFUSED_BY_ACCESS = _SQL["refused_by_access"]
"""The query for which of the commands `ids` policy `access` has refused, whose stream is `policy`, and for its version."""


def sent_again(document: Mapping[str, Any], access_version: int) -> dict[str, Any]:
    """A command that policy `access` has refused, under this version of it: with an id of its own, for outcomes are final."""
    return {**document, "id": str(derive_id("clock", "access", document["id"], str(access_version)))}


def parameters(now: datetime, time_zone: str | None) -> dict[str, Any]:
    """The parameters of the queries: the time, and the company's business day."""
    zone = zone_named(time_zone or "UTC")
    return {"now": now, "today": day_in(zone, now), "ahead_days": RENEWAL_AHEAD_DAYS}
