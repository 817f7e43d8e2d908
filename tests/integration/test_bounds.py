"""Commands at the bounds of every field of every schema: each is answered, every read table takes in what was accepted, every
report can be made of it, and every invoice explained."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from tests.bounds import Bound, at_bound, bounds, shape
from tests.commands import send
from tests.conftest import TestServer

from ltc_events.aggregates.policies import policy_id
from ltc_events.application.clock import SystemClock
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.explanation.invoice import explain_invoice
from ltc_events.projections.catalog.status import projection_status
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.base import ParameterType
from ltc_events.reports.registry import all_reports
from ltc_events.reports.runner import run
from ltc_events.schemas.base import WIRE_PREFIX
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.policy import BusinessDates, PublishPolicy
from ltc_events.schemas.registry import COMMANDS
from ltc_events.simulation import simulate
from ltc_events.store import Database, EventStore, Role

Document = dict[str, Any]
AS_OF = (date(1900, 1, 1), date(2026, 6, 30), date(2199, 12, 31))
CUSTOMERS = 130
SELDOM, SPARED = 40, 2
RARE = 10
TRIES_MAX = 40
"""Refused in a row before a command is sent as it stands: others of its type have their turn with what is left."""
UNTRIED_PART = 3
"""At most one in so many bounds comes upon no command that is good as it stands."""
RULES = ("policy", "price_book")
"""What holds for all that follows: sent once more as it stands, so that the bound harms nothing behind it."""


class Story:
    """Sends commands, each type's at one bound after the other; what is refused at a bound is sent as it stands."""

    def __init__(self, pipeline: CommandPipeline) -> None:
        self._pipeline = pipeline
        self._left: dict[str, list[Bound]] = {}
        self.tried: dict[str, set[str]] = defaultdict(set)
        self.sent: Counter[str] = Counter()
        self.accepted: Counter[str] = Counter()
        self.defects: list[str] = []

    @property
    def untried(self) -> int:
        """How many bounds never came upon a command that was good as it stood."""
        return sum(map(len, self._left.values()))

    def tell(self, document: Document, *, is_bound: bool = True) -> None:
        """Send a command, at a bound if it is to be so."""
        type = document["type"]
        self.sent[type] += 1
        if not is_bound:
            self._send(document, "as it stands")
            return
        left = self._left.setdefault(type, [])
        fresh = [bound for bound in bounds(type, document["data"]) if shape(bound) not in self.tried[type]]
        self.tried[type] |= set(map(shape, fresh))
        left += fresh
        spent = []
        is_rule = type.removeprefix(WIRE_PREFIX).partition(".")[0] in RULES
        for _ in range(len(left) if is_rule else min(TRIES_MAX, len(left))):
            bound = left.pop(0)
            try:
                changed = at_bound(document, bound)
            except (KeyError, IndexError):  # this one has no such item: another one of its type does
                left.append(bound)
                continue
            if self._send(changed, shape(bound)):
                self.accepted[type] += 1
                if not is_rule:
                    return
                self._send({**document, "id": str(uuid4())}, "as it stands")
            else:
                spent.append(bound)
        if not self._send(document, "as it stands"):
            left += spent  # the story had gone another way, so that no bound of this command could be tried

    def _send(self, document: Document, what: str) -> bool:
        (answer,) = self._pipeline.submit([json.dumps(document).encode()])
        assert isinstance(answer, Outcome), (document["type"], what, answer)
        codes = [reason.code for reason in answer.reasons]
        if "defect" in codes:
            self.defects.append(f"{document['type']} with {what}: {answer.reasons[0].message}")
        assert all(reason.message and reason.fix for reason in answer.reasons), (document["type"], what, codes)
        return answer.status is Status.ACCEPTED


def commands() -> Iterator[Document]:
    """Those of a simulated company, with what it does not come to behind them."""
    received: Document | None = None
    content = BusinessDates(kind="business_dates", days_ahead=36525)
    yield send(PublishPolicy(content=content), policy_id("business_dates"), time=datetime(2025, 1, 1, tzinfo=UTC))
    for document in map(json.loads, simulate(7, CUSTOMERS, 365)):
        yield document
        type = document["type"].removeprefix(WIRE_PREFIX)
        if type == "opportunity.lose.v1":
            yield like(document, "opportunity.change_title.v1", title="another one", reason="misheard")
            yield like(document, "opportunity.change_owner.v1", owner="Ben", reason="on leave")
            yield like(document, "opportunity.reopen.v1", reason="they called back")
            yield like(document, type, **document["data"])
        elif type == "invoice.write_off.v1":
            yield like(document, "invoice.reverse_write_off.v1", reason="another one was meant")
            yield like(document, type, **document["data"])
            if received:
                own = {**received, "partitionkey": document["partitionkey"], "time": document["time"], "subject": str(uuid4())}
                yield like(own, "payment.receive.v1", **received["data"])
                yield like(own, "payment.recover.v1", invoice_id=document["subject"])
        elif type == "credit_note.refund.v1":
            yield like(document, "credit_note.report_failed_refund.v1", reason="account closed")
            yield like(document, type, **document["data"])
        elif type == "invoice.send_dunning_notice.v1":
            claim = {"kind": "dunning_fee", "invoice_id": document["subject"], "instalment": document["data"]["instalment"]}
            lump = {**document, "subject": str(uuid4())}
            yield like(lump, "claim.raise.v1", **claim, amount="40", reason="lump sum")
        elif type == "payment.receive.v1":
            yield from moved_and_refunded(document, received or document)
            received = document


def like(document: Document, type: str, **data: Any) -> Document:
    """Another command to the same subject."""
    return {**document, "id": str(uuid4()), "type": f"{WIRE_PREFIX}{type}", "data": data}


def moved_and_refunded(document: Document, other: Document) -> Iterator[Document]:
    """What may become of a payment like this one: it goes to another customer, stays after all, or back to where it came from."""
    own, there = (
        {**document, "subject": str(uuid4())},
        {**document, "subject": str(uuid4()), "partitionkey": other["partitionkey"]},
    )
    yield like(own, "payment.receive.v1", **document["data"])
    target = {"to_payment_id": there["subject"], "to_customer_id": other["partitionkey"]}
    yield like(own, "payment.move_out.v1", **target, reason="theirs")
    yield like(own, "payment.cancel_move.v1", to_payment_id=there["subject"], reason="ours after all")
    yield like(own, "payment.move_out.v1", **target, reason="theirs")
    yield like(there, "payment.move_in.v1", from_payment_id=own["subject"])
    back = {**document, "subject": str(uuid4())}
    yield like(back, "payment.receive.v1", **document["data"])
    yield like(back, "payment.refund.v1", reason="twice")
    yield like(back, "payment.report_failed_refund.v1", reason="account closed")


def tell_all(story: Story) -> None:
    """Tell all commands. What comes seldom needs all that comes before it: of a few who have it, that alone is at bounds."""
    documents = list(commands())
    having: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        having[document["type"]].append(document["partitionkey"])
    spared: dict[str, set[str]] = {}
    for type, keys in sorted(having.items(), key=lambda one: len(one[1])):
        if len(keys) <= SELDOM or all(key in spared for key in keys):
            theirs = list(dict.fromkeys(keys))
            free = [key for key in theirs if key not in spared][:SPARED]
            for key in free or theirs[:SPARED]:
                spared.setdefault(key, set()).add(type)
    for document in documents:
        story.tell(document, is_bound=document["type"] in spared.get(document["partitionkey"], {document["type"]}))


@pytest.fixture(scope="module")
def told(server: TestServer) -> Iterator[tuple[Database, Story]]:
    """A ledger of commands at their bounds, with all read tables brought up to it."""
    name = server.create()
    database = server.at(name)
    with EventStore(database, Role.WRITER) as store:
        story = Story(CommandPipeline(store, SystemClock()))
        tell_all(story)
    with open_runner(database, PROJECTIONS) as runner:
        runner.catch_up()
    yield database, story
    server.drop(name)


def test_each_is_answered_and_none_is_a_defect(told: tuple[Database, Story]) -> None:
    _, story = told
    assert story.defects == []
    assert {type.removeprefix(WIRE_PREFIX) for type in story.tried} == set(COMMANDS), "every type of command was sent"
    assert story.untried * UNTRIED_PART <= sum(map(len, story.tried.values())), "most bounds came upon a command that was good"
    never = {type for type, sent in story.sent.items() if sent > RARE and not story.accepted[type]}
    assert never == set(), "of every type but the rarest some bounds are accepted, and so reach the read tables"


def test_no_read_table_stops(told: tuple[Database, Story]) -> None:
    database, _ = told
    assert {(one.name, one.state) for one in projection_status(database) if one.state != "live"} == set()


@pytest.mark.parametrize("report", [one.name for one in all_reports()])
def test_every_report_can_be_made(told: tuple[Database, Story], report: str) -> None:
    database, _ = told
    (found,) = [one for one in all_reports() if one.name == report]
    choices = {one.name: one.choices for one in found.parameters.values() if one.choices}
    with database.connect(Role.READER) as reader:
        customers = [row[0] for row in reader.execute("SELECT customer_id FROM ltc_read.customers ORDER BY 1 LIMIT 5").fetchall()]
    needed = [one.name for one in found.parameters.values() if one.type is ParameterType.CUSTOMER and one.required]
    for as_of, chosen, customer in product(AS_OF, product(*choices.values()), customers if needed else [None]):
        given = {**dict.fromkeys(needed, customer), **dict(zip(choices, chosen, strict=True))}
        result = run(database, report, as_of=as_of, parameters=given)
        assert [tie.difference for tie in result.ties] == [0] * len(result.ties)


def test_every_invoice_can_be_explained(told: tuple[Database, Story]) -> None:
    database, _ = told
    with EventStore(database, Role.PROJECTOR) as store, database.connect(Role.READER) as reader:
        head = store.head()[0]
        for (number,) in reader.execute("SELECT number FROM ltc_read.invoices ORDER BY number").fetchall():
            assert explain_invoice(store, number, date(2199, 12, 31), head).broken == []
