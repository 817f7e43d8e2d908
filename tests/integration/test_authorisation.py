"""Policy access at the door of the pipeline: who may not is refused, and that is kept (R-33)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.access_examples import ADMIN, COMPANY, OFFICE, SHOP, publish_access, rule
from tests.commands import publish_billing, register, rename, send

from ltc_events.aggregates.access import AccessRules, name_of
from ltc_events.aggregates.policies import policy_id
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.bootstrap.services import Services
from ltc_events.bootstrap.settings import load_settings
from ltc_events.diagnosis.examination import examine
from ltc_events.kernel.ids import derive_id
from ltc_events.kernel.principals import Principal, PrincipalKind
from ltc_events.scheduling.duties import CLOCK_COMMANDS
from ltc_events.schemas.envelope import parse
from ltc_events.schemas.order import OrderLineRequest, PlaceOrder
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.payment import ReceivePayment
from ltc_events.schemas.policy import Access, DiscountMatrix, PublishPolicy, Sender
from ltc_events.store import Database, EventStore, Role

CUSTOMER = derive_id("test", "Analytical Ltd")


class Doors:
    """Pipelines of several principals on one ledger, each with a connection and a cache of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._stores: list[EventStore] = []
        self._open: dict[Principal, CommandPipeline] = {}

    def send(self, principal: Principal, *documents: dict[str, Any]) -> list[Outcome]:
        if principal not in self._open:
            self._stores.append(EventStore(self._database, Role.WRITER))
            self._open[principal] = CommandPipeline(self._stores[-1], SystemClock(), principal=principal)
        answers = self._open[principal].submit(documents)
        assert all(isinstance(one, Outcome) for one in answers)
        return answers  # type: ignore[return-value]

    def close(self) -> None:
        for store in self._stores:
            store.close()


@pytest.fixture
def doors(database: Database) -> Iterator[Doors]:
    doors = Doors(database)
    yield doors
    doors.close()


def order(**more: Any) -> dict[str, Any]:
    line = OrderLineRequest(line=1, sku="MILL", description="a mill", quantity="1", unit_price="100", tax_rate="19")  # type: ignore[arg-type]
    command = PlaceOrder(reason="by the shop", currency="EUR", lines=(line,))
    return send(command, uuid4(), CUSTOMER, **{"actor": "webshop", **more})


def payment(amount: str, **more: Any) -> dict[str, Any]:
    return send(ReceivePayment(amount=Decimal(amount), currency="EUR"), uuid4(), CUSTOMER, **{"actor": "webshop", **more})


def matrix(**more: Any) -> dict[str, Any]:
    content = DiscountMatrix(kind="discount_matrix", limits={"sales": Decimal(100)})
    return send(PublishPolicy(content=content), policy_id("discount_matrix"), **more)


def codes(outcomes: list[Outcome]) -> list[str]:
    return [one.reasons[0].code if one.reasons else one.status.value for one in outcomes]


def test_a_shop_that_makes_its_own_discounts_and_plays_the_bank_is_refused(
    doors: Doors, database: Database, event_store: EventStore
) -> None:
    doors.send(ADMIN, register(actor="ada"), publish_access())
    head = event_store.head()[0]
    attack = [matrix(actor="otto"), matrix(actor="webshop"), payment("1000000", actor="bank"), payment("1000000")]
    answers = doors.send(SHOP, *attack)
    assert codes(answers) == ["not_authorised"] * 4
    assert [one.reasons[0].field for one in answers] == ["actor", "", "actor", ""]
    assert "1000000 EUR is beyond the limits of source:webshop" in answers[3].reasons[0].message
    assert event_store.head()[0] == head
    with database.connect(Role.PROJECTOR, autocommit=True) as connection:
        kept = connection.execute(
            "SELECT command_id, principal FROM ltc.outcomes WHERE status = 'refused' AND reasons->0->>'code' = 'not_authorised'"
            " AND content IS NOT NULL"
        ).fetchall()
    assert dict(kept) == {UUID(one["id"]): "source:webshop" for one in attack}
    assert codes(doors.send(SHOP, order(), payment("5000"))) == ["accepted", "accepted"]


def test_a_refusal_repeated_says_the_same_also_when_it_would_be_allowed_by_now(doors: Doors) -> None:
    doors.send(ADMIN, register(actor="ada"), publish_access())
    wanted = payment("6000")
    (first,) = doors.send(SHOP, wanted)
    wide = COMPANY.model_copy(update={"rules": (*COMPANY.rules, rule("shop", "payment.receive"))})
    assert codes(doors.send(ADMIN, publish_access(wide))) == ["accepted"]
    (again,) = doors.send(SHOP, wanted)
    assert (again.duplicate, again.status, again.reasons) == (True, Status.REFUSED, first.reasons)
    assert codes(doors.send(SHOP, {**wanted, "id": str(uuid4())})) == ["accepted"]


def test_a_new_version_holds_from_the_next_command_on_at_every_door(doors: Doors) -> None:
    assert codes(doors.send(SHOP, register(actor="webshop"), order())) == ["accepted", "accepted"]
    closed = COMPANY.model_copy(update={"principals": {OFFICE.text: COMPANY.principals[OFFICE.text]}})
    assert codes(doors.send(ADMIN, publish_access(closed))) == ["accepted"]
    assert codes(doors.send(SHOP, order())) == ["not_authorised"]
    assert codes(doors.send(SHOP, order(), order())) == ["not_authorised"] * 2
    assert codes(doors.send(ADMIN, publish_access())) == ["accepted"]
    assert codes(doors.send(SHOP, order())) == ["accepted"]


def test_within_a_batch_a_version_holds_for_what_comes_behind_it(doors: Doors) -> None:
    outcomes = doors.send(
        ADMIN, register(actor="ada"), publish_access(), rename("x", CUSTOMER, actor="zoe"), rename("y", CUSTOMER, actor="ada")
    )
    assert codes(outcomes) == ["accepted", "accepted", "not_authorised", "accepted"]


def test_who_may_not_publish_access_cannot_let_himself_in(doors: Doors) -> None:
    doors.send(ADMIN, publish_access())
    everything = COMPANY.model_copy(update={"rules": (*COMPANY.rules, rule("shop", "*"))})
    assert (
        codes(doors.send(SHOP, publish_access(everything), publish_access(everything, actor="webshop"))) == ["not_authorised"] * 2
    )
    assert codes(doors.send(OFFICE, publish_access(everything, actor="paula"))) == ["not_authorised"]
    assert codes(doors.send(ADMIN, publish_access(Access(kind="access", mode="enforced")))) == ["locked_out"]


def test_four_eyes_are_recorded_with_what_they_approved(doors: Doors, event_store: EventStore) -> None:
    doors.send(ADMIN, publish_access())
    billing = publish_billing("5", actor="paula")
    assert codes(doors.send(OFFICE, billing)) == ["not_authorised"]
    approved = {**billing, "id": str(uuid4()), "data": {**billing["data"], "approver": "otto"}}
    (answer,) = doors.send(OFFICE, approved)
    (record,) = event_store.read(answer.first_position - 1, 1)
    assert (record.actor, record.document()["data"]["approver"]) == ("paula", "otto")


def test_a_door_that_authenticates_nobody_lets_nobody_in_once_there_are_rules(doors: Doors, event_store: EventStore) -> None:
    pipeline = CommandPipeline(event_store, SystemClock())
    (open_,) = pipeline.submit([register()])
    doors.send(ADMIN, publish_access())
    (closed,) = pipeline.submit([rename("x", CUSTOMER)])
    assert isinstance(open_, Outcome)
    assert isinstance(closed, Outcome)
    assert codes([open_, closed]) == ["accepted", "not_authorised"]
    assert "nobody was authenticated" in closed.reasons[0].message


def test_doctor_says_who_may_do_what(doors: Doors, database: Database) -> None:
    def told() -> tuple[bool, str]:
        with Services(load_settings(), database) as services:
            (check,) = (one for one in examine(services).checks if one.name == "access")
        return check.healthy, check.detail

    assert told() == (True, "open: whoever can send may do everything; `ltc access` says who may do what")
    doors.send(ADMIN, publish_access())
    healthy, detail = told()
    assert not healthy
    assert detail.startswith("enforced, version 1: 5 rules for 2 principals and 3 people; worker:clock may not send lead.")
    clock = Sender(roles=("clock",), speaks_for=("ltc-clock",))
    whole = COMPANY.model_copy(
        update={
            "principals": {**COMPANY.principals, "worker:clock": clock},
            "rules": (*COMPANY.rules, rule("clock", " ".join(CLOCK_COMMANDS))),
        }
    )
    doors.send(ADMIN, publish_access(whole))
    assert told() == (True, "enforced, version 2: 6 rules for 3 principals and 3 people")


PRINCIPALS = [ADMIN, SHOP, OFFICE, Principal(PrincipalKind.USER, "paula"), Principal(PrincipalKind.WORKER, "clock")]
NAMES = ["ada", "paula", "otto", "webshop", "clock", "bank"]
ROLES = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=2, unique=True).map(tuple)
PATTERNS = st.lists(
    st.sampled_from(
        ["*", "payment.*", "payment.receive", "order.place", "policy.publish", "policy.publish.billing", "customer.*"]
    ),
    min_size=1,
    max_size=2,
).map(tuple)
GENERATED = st.builds(
    Access,
    kind=st.just("access"),
    mode=st.just("enforced"),
    principals=st.dictionaries(
        st.sampled_from([one.text for one in PRINCIPALS if one is not ADMIN]),
        st.builds(
            Sender,
            roles=ROLES,
            speaks_for=st.lists(st.sampled_from([*NAMES, "*"]), max_size=2).map(tuple),
            for_itself=st.booleans(),
        ),
    ),
    people=st.dictionaries(st.sampled_from(NAMES), ROLES).map(lambda people: {**people, "ada": ("root",)}),
    rules=st.lists(
        st.builds(
            rule,
            ROLES.map(" ".join),
            PATTERNS.map(" ".join),
            customers=st.sampled_from([(), (CUSTOMER,), (uuid4(),)]),
            limits=st.sampled_from([{}, {"EUR": Decimal(100)}]),
        ),
        max_size=4,
    ).map(lambda rules: (*rules, rule("root", "*"))),
)


def may(policy: Access, principal: Principal, document: dict[str, Any]) -> bool:
    """What the policy says, read word by word, without anything that is prepared."""
    message = parse(document, datetime.now(UTC))
    assert message.command is not None
    name, amount = name_of(message.command), Decimal(str(document["data"].get("amount", 0)))
    own = policy.principals.get(principal.text, Sender())
    named = message.actor in own.speaks_for or "*" in own.speaks_for
    if not (named or message.actor == principal.name if own.for_itself else named and message.actor in policy.people):
        return False

    def given_to(roles: tuple[str, ...]) -> bool:
        return any(
            set(one.roles) & set(roles)
            and any(
                p == "*" or name == p or name.startswith(p.removesuffix("*") if p.endswith(".*") else p + ".")
                for p in one.commands
            )
            and (not one.customers or message.customer_id in one.customers)
            and (not one.limits or amount <= one.limits["EUR"])
            for one in policy.rules
        )

    person = policy.people.get(message.actor)
    as_user = policy.people.get(principal.name, ()) if principal.kind is PrincipalKind.USER else ()
    return given_to((*own.roles, *as_user)) and (person is None or given_to(person) or principal.text == f"user:{message.actor}")


@given(
    GENERATED, st.lists(st.tuples(st.sampled_from(PRINCIPALS), st.sampled_from(NAMES), st.integers(0, 3)), min_size=1, max_size=8)
)
@settings(max_examples=15, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_the_policy_nothing_outside_its_rules_is_accepted_and_no_refusal_makes_events(
    doors: Doors, event_store: EventStore, policy: Access, attempts: list[tuple[Principal, str, int]]
) -> None:
    doors.send(ADMIN, register(actor="ada", id=derive_id("test", "first")))
    assert doors.send(ADMIN, publish_access(policy))[0].reasons == ()
    for principal, actor, which in attempts:
        wanted = [payment("100"), payment("101"), order(), publish_billing("5")][which] | {"actor": actor}
        before = event_store.head()[0]
        (answer,) = doors.send(principal, wanted)
        assert (codes([answer]) == ["accepted"]) == may(policy, principal, wanted)
        assert (event_store.head()[0] > before) == (answer.status is Status.ACCEPTED)
        assert answer.status is Status.ACCEPTED or codes([answer]) == ["not_authorised"]


def test_the_rules_of_the_examples_can_be_changed_by_somebody() -> None:
    assert AccessRules(COMPANY).is_administrable()
