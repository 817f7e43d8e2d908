"""Business dates on a real store: the window, the company's day and its fiscal year, whichever door a command comes through."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.commands import register, send

from ltc_events.aggregates.policies import policy_id
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.customer import AddContact
from ltc_events.schemas.outcome import Outcome
from ltc_events.schemas.policy import BusinessDates, Company, PublishPolicy
from ltc_events.store import EventStore

CUSTOMER = derive_id("test", "Analytical Ltd")
EVENING = datetime(2026, 12, 31, 23, 30, tzinfo=UTC)


class StoppedClock:
    """A clock that shows one moment."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


@pytest.fixture
def pipeline(event_store: EventStore) -> CommandPipeline:
    return CommandPipeline(event_store, StoppedClock(EVENING))


def publish(content: Any, **more: Any) -> dict[str, Any]:
    return send(PublishPolicy(content=content), policy_id(content.kind), **more)


def company(**more: Any) -> dict[str, Any]:
    content = {"kind": "company", "legal_name": "Acme GmbH", "functional_currency": "EUR", **more}
    return publish(Company.model_validate(content))


def dated(day: str, id: UUID | None = None) -> dict[str, Any]:
    """A command that anybody may send at any date."""
    command = send(AddContact(contact_id=uuid4(), name="Bob"), CUSTOMER, CUSTOMER, id=id, time=EVENING)
    command["data"]["effective_on"] = day
    return command


def refused(answer: Any) -> list[str]:
    assert isinstance(answer, Outcome)
    return [f"{reason.field}: {reason.message}" for reason in answer.reasons]


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("0001-01-01", "0001-01-01 is before 1900-01-01"),
        ("1899-12-31", "1899-12-31 is before 1900-01-01"),
        ("2200-01-01", "2200-01-01 is after 2199-12-31"),
        ("9999-12-31", "9999-12-31 is after 2199-12-31"),
    ],
)
def test_years_that_are_no_dates_of_business_are_refused(pipeline: CommandPipeline, day: str, message: str) -> None:
    _, answer = pipeline.submit([register(), dated(day)])
    assert isinstance(answer, Outcome)
    (reason,) = answer.reasons
    assert (reason.field, reason.code, reason.message) == ("effective_on", "out_of_range", message)


def test_absurd_dates_are_refused_and_both_ends_of_the_window_named(pipeline: CommandPipeline) -> None:
    _, answer = pipeline.submit([register(), dated("2037-01-01")])
    (reason,) = refused(answer)
    assert reason.startswith("effective_on: 2037-01-01 is not between 1900-01-01 and 2036-12-31")


def test_policy_sets_the_window_for_the_commands_behind_it_in_the_same_batch(pipeline: CommandPipeline) -> None:
    narrow = publish(BusinessDates(kind="business_dates", earliest=date(2026, 1, 1), days_ahead=0))
    answers = pipeline.submit([register(), narrow, dated("2026-12-31"), dated("2025-12-31"), dated("2027-01-01")])
    assert [len(refused(answer)) for answer in answers] == [0, 0, 0, 1, 1]
    assert "2027-01-01 is not between 2026-01-01 and 2026-12-31" in refused(answers[4])[0]


def test_no_window_shuts_out_the_policy_that_would_mend_it(pipeline: CommandPipeline) -> None:
    too_narrow = publish(BusinessDates(kind="business_dates", earliest=date(2036, 6, 1), days_ahead=0), time=EVENING)
    too_narrow["data"]["effective_on"] = "2036-06-01"
    mended = publish(BusinessDates(kind="business_dates"), time=EVENING)
    mended["data"]["effective_on"] = "2036-06-01"
    answers = pipeline.submit([too_narrow, register(), mended, register("Another Ltd")])
    assert [len(refused(answer)) for answer in answers] == [0, 1, 0, 0]


def test_a_command_without_a_date_has_the_date_of_its_time_in_the_companys_zone(
    pipeline: CommandPipeline, event_store: EventStore
) -> None:
    pipeline.submit([register(time=EVENING), company(time_zone="Europe/Berlin"), register("Another Ltd", time=EVENING)])
    stated = dated("2026-12-31")
    pipeline.submit([stated])
    assert [record.effective_on for record in event_store.read(0, 10) if record.subject != policy_id("company")] == [
        date(2026, 12, 31),
        date(2027, 1, 1),
        date(2026, 12, 31),
    ]


def test_what_a_command_is_does_not_depend_on_the_zone(pipeline: CommandPipeline) -> None:
    command = register(time=EVENING)
    first, _, again = (pipeline.submit([one])[0] for one in (command, company(time_zone="Asia/Tokyo"), command))
    assert isinstance(again, Outcome)
    assert again.duplicate
    assert again._replace(duplicate=False) == first
