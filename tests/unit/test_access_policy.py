"""Policy access: who may send which command (R-33)."""

from decimal import Decimal
from uuid import uuid4

import pytest
from pydantic import ValidationError
from tests.access_examples import ADMIN, COMPANY, OFFICE, SHOP, rule
from tests.unit.specification import given

from ltc_events.aggregates.access import NAMES, AccessRules, covers, name_of
from ltc_events.aggregates.policies import policy_id
from ltc_events.aggregates.policy import LockedOut, NoApproverThere, PeopleAlike, UnknownCommands
from ltc_events.schemas.base import Event
from ltc_events.schemas.customer import Profile, RegisterCustomer
from ltc_events.schemas.payment import PaymentReceived
from ltc_events.schemas.policy import Access, FourEyes, PolicyPublished, PublishPolicy, Sender

RULES = AccessRules(COMPANY)
CUSTOMER, OTHER = uuid4(), uuid4()


def denied(principal: str, actor: str, name: str, approver: str | None = None) -> str | None:
    found = RULES.denied(principal, actor, name, CUSTOMER, approver)
    return None if found is None else found.why


def received(amount: str, currency: str = "EUR") -> list[Event]:
    return [PaymentReceived(amount=Decimal(amount), currency=currency, method="transfer", reference=None, payer=None)]


def test_a_pattern_covers_a_command_a_noun_or_everything() -> None:
    assert covers("*", "order.place")
    assert covers("order.*", "order.place")
    assert not covers("order.*", "order_line.place")
    assert covers("policy.publish", "policy.publish.access")
    assert not covers("policy.publish.billing", "policy.publish.access")
    assert not covers("order.place", "order.place_again")
    assert name_of(RegisterCustomer(profile=Profile(name="x"))) == "customer.register"
    assert name_of(PublishPolicy(content=COMPANY)) == "policy.publish.access"
    assert {"order.place", "policy.publish.access"} <= NAMES


def test_a_principal_sends_what_a_rule_gives_to_a_role_of_it() -> None:
    assert denied(SHOP.text, "webshop", "order.place") is None
    assert denied(SHOP.text, "webshop", "policy.publish.discount_matrix") == (
        "no rule gives policy.publish.discount_matrix to source:webshop"
    )
    assert denied("source:unknown", "unknown", "order.place") == "no rule gives order.place to source:unknown"


def test_it_names_itself_as_actor_or_whom_it_may_speak_for() -> None:
    assert denied(SHOP.text, "ada", "order.place") == "source:webshop may not speak for ada"
    assert denied(OFFICE.text, "paula", "payment.refund") is None
    assert denied(OFFICE.text, "office", "payment.refund") == "source:office may not speak for office"


def test_a_person_whom_it_speaks_for_needs_the_role_too() -> None:
    assert denied(OFFICE.text, "paula", "order.place") == "no rule gives order.place to paula"
    assert denied(OFFICE.text, "ada", "order.place") is None


def test_a_user_has_the_roles_of_the_person_of_that_name() -> None:
    assert denied(ADMIN.text, "ada", "policy.publish.access") is None
    assert denied("user:paula", "paula", "payment.refund") is None
    assert denied("user:paula", "otto", "payment.refund") == "user:paula may not speak for otto"
    assert denied("source:ada", "ada", "policy.publish.access") == "no rule gives policy.publish.access to source:ada"


def test_four_eyes_are_two_people_and_the_second_has_the_role() -> None:
    assert denied(OFFICE.text, "paula", "credit_note.issue", "otto") is None
    assert denied(OFFICE.text, "paula", "credit_note.issue") == "it takes four eyes, and names no approver"
    assert denied(OFFICE.text, "otto", "credit_note.issue", "otto") == "otto cannot approve what he asks for himself"
    assert denied(OFFICE.text, "otto", "credit_note.issue", "paula") == "paula has no role that may approve it"
    assert denied(OFFICE.text, "otto", "credit_note.issue", "nobody") == "nobody has no role that may approve it"
    assert denied(ADMIN.text, "ada", "credit_note.issue", "otto") == (
        "user:ada may not speak for otto, who is to have approved it"
    )


GATEWAY = COMPANY.model_copy(
    update={
        "principals": {
            "source:gateway": Sender(roles=("office",), speaks_for=("*",)),
            "user:paula": Sender(speaks_for=("otto", "ada")),
            "user:otto": Sender(speaks_for=("paula",)),
        },
        "rules": (*COMPANY.rules, rule("manager", "quote.*"), rule("clerk", "quote.*")),
    }
)


def denied_by(content: Access, principal: str, actor: str, name: str, approver: str | None = None) -> str | None:
    found = AccessRules(content).denied(principal, actor, name, CUSTOMER, approver)
    return None if found is None else found.why


@pytest.mark.parametrize("variant", ["Paula", "paula ", "p\u0430ula", "pa\u200bula", "paul\u0301a"])  # one letter is Cyrillic
def test_a_variant_of_a_name_is_that_person_for_what_it_may_not(variant: str) -> None:
    assert denied_by(GATEWAY, "source:gateway", variant, "order.place") == "no rule gives order.place to paula"
    assert denied_by(GATEWAY, "source:gateway", variant, "payment.refund") is None
    eyes = GATEWAY.model_copy(update={"four_eyes": (FourEyes(commands=("credit_note.issue",), roles=("clerk",)),)})
    assert denied_by(eyes, "source:gateway", variant, "credit_note.issue", "paula") == (
        "paula cannot approve what he asks for himself"
    )
    assert denied_by(GATEWAY, f"user:{variant}", variant, "payment.refund") is not None  # and for what it may it is not
    alike = COMPANY.model_copy(update={"people": {**COMPANY.people, variant: ("manager",)}})
    given().when(PublishPolicy(content=alike)).then(PeopleAlike, field=f"content.people.{variant}")


def test_a_name_of_which_nothing_can_be_read_is_nobodys() -> None:
    assert denied_by(GATEWAY, "source:gateway", "\u200b", "order.place") == "source:gateway may not speak for \u200b"


def test_who_sends_for_another_does_not_approve_it_himself() -> None:
    for approver in ("otto", "Otto"):
        assert denied_by(GATEWAY, "user:otto", "paula", "credit_note.issue", approver) == (
            f"{approver} cannot approve what he sends himself"
        )


def test_who_decides_about_a_discount_is_whom_the_sender_speaks_for() -> None:
    assert denied_by(GATEWAY, "user:otto", "otto", "quote.approve_discount", "otto") is None
    for name in ("quote.approve_discount", "quote.reject_discount"):
        assert denied_by(GATEWAY, "user:otto", "otto", name, "ada") == (
            "user:otto may not speak for ada, who is to have decided it"
        )
        assert denied_by(GATEWAY, "source:gateway", "paula", name, "otto") == "paula may not decide in the name of otto"
        assert denied_by(GATEWAY, "source:gateway", "otto", name, "otto") is None
        eyes = COMPANY.model_copy(update={"four_eyes": (FourEyes(commands=(name,), roles=("manager",)),)})
        given().when(PublishPolicy(content=eyes)).then(NoApproverThere, field="content.four_eyes.0.commands")
        assert denied_by(GATEWAY.model_copy(update={"four_eyes": eyes.four_eyes}), "user:otto", "otto", name, "otto") is None


def test_customers_and_limits_narrow_a_rule() -> None:
    narrow = COMPANY.model_copy(update={"rules": (*COMPANY.rules[:1], rule("shop", "order.place", customers=(CUSTOMER,)))})
    rules = AccessRules(narrow)
    assert rules.denied(SHOP.text, "webshop", "order.place", CUSTOMER, None) is None
    for customer in (OTHER, None):
        found = rules.denied(SHOP.text, "webshop", "order.place", customer, None)
        assert found is not None
        assert (found.why, found.at) == ("no rule gives order.place to source:webshop for this customer", "partitionkey")
    ask = (SHOP.text, "webshop", "payment.receive", CUSTOMER)
    assert RULES.denied(*ask, None) is None
    assert RULES.beyond(*ask, received("5000")) is None
    for amount, currency in (("5000.01", "EUR"), ("1", "USD")):
        beyond = RULES.beyond(*ask, received(amount, currency))
        assert beyond is not None
        assert beyond.why == f"{amount} {currency} is beyond the limits of source:webshop for payment.receive"


def test_who_has_a_wide_rule_beside_a_narrow_one_has_the_wide_one() -> None:
    wide = COMPANY.model_copy(update={"rules": (*COMPANY.rules, rule("shop", "payment.*"))})
    assert AccessRules(wide).beyond(SHOP.text, "webshop", "payment.receive", CUSTOMER, received("1000000")) is None


def test_a_policy_that_nobody_may_change_is_refused() -> None:
    publish = PublishPolicy(content=COMPANY)
    given().when(publish).then(PolicyPublished(version=1, content=COMPANY))
    without = COMPANY.model_copy(update={"people": {"paula": ("clerk",)}})
    for nobody in (
        Access(kind="access", mode="enforced"),
        without,
        COMPANY.model_copy(update={"four_eyes": (FourEyes(commands=("policy.publish",), roles=("manager",)),), "principals": {}}),
        COMPANY.model_copy(update={"rules": (rule("administrator", "*", customers=(CUSTOMER,)),)}),
    ):
        given().when(PublishPolicy(content=nobody)).then(LockedOut, field="content.rules")
    harmless = without.model_copy(update={"mode": "open"})
    given().when(PublishPolicy(content=harmless)).then(PolicyPublished(version=1, content=harmless))


def test_who_publishes_a_version_may_publish_the_next_or_does_not_keep_it() -> None:
    assert RULES.keeps(ADMIN.text, "ada")
    assert RULES.keeps(ADMIN.text, "somebody whom ada speaks for no longer")
    assert RULES.keeps(OFFICE.text, "ada")
    assert not RULES.keeps(OFFICE.text, "paula")
    assert not RULES.keeps("user:paula", "paula")
    assert not RULES.keeps("user:nobodyhere", "nobodyhere")


def test_two_people_behind_one_source_may_administer_with_four_eyes() -> None:
    eyes = (FourEyes(commands=("policy.publish",), roles=("manager",)),)
    careful = COMPANY.model_copy(update={"four_eyes": eyes})
    given().when(PublishPolicy(content=careful)).then(PolicyPublished(version=1, content=careful))


def test_patterns_that_cover_nothing_and_four_eyes_without_a_field_for_them_are_refused() -> None:
    typo = COMPANY.model_copy(update={"rules": (*COMPANY.rules, rule("shop", "ordr.place"))})
    given().when(PublishPolicy(content=typo)).then(UnknownCommands, field="content.rules.5.commands", fix="order.place")
    eyes = COMPANY.model_copy(update={"four_eyes": (FourEyes(commands=("order.place",), roles=("manager",)),)})
    given().when(PublishPolicy(content=eyes)).then(NoApproverThere, field="content.four_eyes.0.commands")


@pytest.mark.parametrize("pattern", ["", "order", "Order.place", "order.*.x", "**", "order.place.v1!", "*.place"])
def test_patterns_have_a_form(pattern: str) -> None:
    with pytest.raises(ValidationError):
        rule("shop", "order.*").model_validate({"roles": ["shop"], "commands": [pattern]})


def test_principals_have_a_kind() -> None:
    with pytest.raises(ValidationError):
        Access(kind="access", principals={"webshop": Sender()})
    assert policy_id("access").version == 8
