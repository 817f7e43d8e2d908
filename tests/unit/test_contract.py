"""Contract: what each command leads to (R-56, R-62)."""

from datetime import date
from decimal import Decimal
from typing import Any

from tests.unit.selling_examples import OPPORTUNITY, QUOTE, drafted, opened
from tests.unit.specification import STRANGER, at, given, of

from ltc_events.aggregates.base import AlreadyExists, DoesNotExist, EndsBeforeStart
from ltc_events.aggregates.contract import (
    AlreadyTerminated,
    RenewalFlagged,
    RenewalNotDue,
    RenewalNotLater,
    TerminationNotWithinTerm,
)
from ltc_events.application.errors import OtherCustomers
from ltc_events.application.unit_of_work import NotFound
from ltc_events.schemas.contract import (
    ContractRenewalDue,
    ContractRenewed,
    ContractSigned,
    ContractTerminated,
    FlagRenewal,
    RenewContract,
    SignContract,
    TerminateContract,
)

FIELDS: dict[str, Any] = {
    "title": "Maintenance",
    "starts_on": date(2026, 1, 1),
    "ends_on": date(2026, 12, 31),
    "value": Decimal(1200),
    "currency": "EUR",
    "notice_days": 60,
    "auto_renew": True,
    "terms": "monthly in advance",
    "signed_by": "Ada King",
}
SIGN = SignContract(**FIELDS)
SIGNED = ContractSigned(**FIELDS)
ENDED = ContractTerminated(ends_on=date(2026, 6, 30), reason="closing the plant")


def test_signing_records_the_explicit_terms() -> None:
    given().when(SIGN).then(SIGNED)


def test_a_contract_is_signed_once() -> None:
    given(SIGNED).when(SIGN).then(AlreadyExists, field="subject")


def test_a_contract_cannot_end_before_it_starts() -> None:
    given().when(SIGN.model_copy(update={"ends_on": date(2025, 12, 31)})).then(EndsBeforeStart, field="ends_on")


def test_a_contract_names_the_deal_and_the_quote_it_came_from() -> None:
    names = {"opportunity_id": OPPORTUNITY, "quote_id": QUOTE}
    given(at(OPPORTUNITY, opened()), at(QUOTE, drafted())).when(SIGN.model_copy(update=names)).then(
        SIGNED.model_copy(update=names)
    )


def test_the_deal_and_the_quote_of_a_contract_must_exist_for_this_customer() -> None:
    given().when(SIGN.model_copy(update={"opportunity_id": OPPORTUNITY})).then(NotFound, field="opportunity_id")
    given().when(SIGN.model_copy(update={"quote_id": QUOTE})).then(NotFound, field="quote_id", message=str(QUOTE))
    given().when(SIGN.model_copy(update={"order_id": QUOTE})).then(NotFound, field="order_id", message="order")
    given(of(STRANGER, at(QUOTE, drafted()))).when(SIGN.model_copy(update={"quote_id": QUOTE})).then(OtherCustomers)


def test_renewing_moves_the_last_day_and_may_change_the_value() -> None:
    given(SIGNED).when(RenewContract(ends_on=date(2027, 12, 31), value=Decimal(1300))).then(
        ContractRenewed(was=date(2026, 12, 31), ends_on=date(2027, 12, 31), value=Decimal(1300), currency="EUR")
    )


def test_a_renewal_without_a_value_keeps_the_last_one() -> None:
    renewed = ContractRenewed(was=date(2026, 12, 31), ends_on=date(2027, 12, 31), value=Decimal(1300), currency="EUR")
    given(SIGNED, renewed).when(RenewContract(ends_on=date(2028, 12, 31))).then(
        ContractRenewed(was=date(2027, 12, 31), ends_on=date(2028, 12, 31), value=Decimal(1300), currency="EUR")
    )


def test_a_renewal_must_prolong() -> None:
    given(SIGNED).when(RenewContract(ends_on=date(2026, 12, 31))).then(RenewalNotLater, field="ends_on", fix="after 2026-12-31")


# Its last day is 31 December, with 60 days of notice.
DUE = ContractRenewalDue(ends_on=date(2026, 12, 31), notice_on=date(2026, 11, 1), auto_renew=True)


def test_a_renewal_is_due_thirty_days_before_notice_must_be_given() -> None:
    given(SIGNED).when(FlagRenewal(effective_on=date(2026, 10, 2))).then(DUE)
    given(SIGNED).when(FlagRenewal(effective_on=date(2026, 10, 1))).then(
        RenewalNotDue, field="effective_on", message="2026-11-01", fix="on 2026-10-02 or later"
    )


def test_a_renewal_is_said_to_be_due_once_per_term() -> None:
    given(SIGNED, DUE).when(FlagRenewal(effective_on=date(2026, 12, 1))).then(RenewalFlagged, message="2026-12-31")
    renewed = ContractRenewed(was=date(2026, 12, 31), ends_on=date(2027, 12, 31), value=Decimal(1200), currency="EUR")
    given(SIGNED, DUE, renewed).when(FlagRenewal(effective_on=date(2027, 10, 2))).then(
        ContractRenewalDue(ends_on=date(2027, 12, 31), notice_on=date(2027, 11, 1), auto_renew=True)
    )
    given(SIGNED, DUE, renewed).when(FlagRenewal(effective_on=date(2026, 12, 1))).then(RenewalNotDue, field="effective_on")


def test_a_contract_is_terminated_within_its_term() -> None:
    given(SIGNED).when(TerminateContract(ends_on=date(2026, 6, 30), reason="closing the plant")).then(ENDED)
    for day in (date(2026, 1, 1), date(2026, 12, 31)):
        given(SIGNED).when(TerminateContract(ends_on=day, reason="r")).then(ContractTerminated(ends_on=day, reason="r"))
    for day in (date(2025, 12, 31), date(2027, 1, 1)):
        given(SIGNED).when(TerminateContract(ends_on=day, reason="r")).then(
            TerminationNotWithinTerm, field="ends_on", fix="from 2026-01-01 to 2026-12-31"
        )


def test_a_terminated_contract_takes_no_more_commands() -> None:
    for command in (RenewContract(ends_on=date(2028, 1, 1)), TerminateContract(ends_on=date(2026, 5, 1), reason="r")):
        given(SIGNED, ENDED).when(command).then(AlreadyTerminated, message="2026-06-30", fix="sign a new")


def test_commands_to_an_unknown_contract_say_what_comes_first() -> None:
    for command in (RenewContract(ends_on=date(2028, 1, 1)), TerminateContract(ends_on=date(2026, 5, 1), reason="r")):
        given().when(command).then(DoesNotExist, field="subject", fix="contract.sign.v1")
