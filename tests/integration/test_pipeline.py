"""The command pipeline on a real store: exactly one outcome for each command, whatever happens around it."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.commands import TIME, capture, publish_billing, register, rename, sell, send
from tests.integration.racing import Racing
from tests.proxy import Proxy, committed

from ltc_events.application.clock import SystemClock
from ltc_events.application.errors import Contention
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.application.rules.registry import RULES
from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.lead import ScreenLead
from ltc_events.schemas.outcome import Outcome, Status
from ltc_events.schemas.receivable import WriteOffInvoice
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store import Database, EventStore, Offset, OffsetMoved, Role
from ltc_events.store.rehearsal import Rehearsal

CUSTOMER = derive_id("test", "Analytical Ltd")
LEAD, OPPORTUNITY = derive_id("test", "lead"), derive_id("test", "opportunity")


@pytest.fixture
def pipeline(event_store: EventStore) -> CommandPipeline:
    return CommandPipeline(event_store, SystemClock())


@pytest.fixture
def another(database: Database) -> Any:
    """A pipeline of another process: its own connection and cache."""
    store = EventStore(database, Role.WRITER)
    yield CommandPipeline(store, SystemClock())
    store.close()


def codes(answer: Any) -> list[str]:
    assert isinstance(answer, Outcome)
    return [reason.code for reason in answer.reasons]


def types(store: EventStore) -> list[str]:
    return [record.event.type for record in store.read(0, 1000)]


def test_each_command_gets_its_own_outcome_in_order(pipeline: CommandPipeline, event_store: EventStore) -> None:
    unregistered = uuid4()
    answers = pipeline.submit([register(), rename("x", unregistered), b"not json", rename("Analytical AG", CUSTOMER)])
    assert [getattr(one, "status", None) for one in answers] == [Status.ACCEPTED, Status.REFUSED, None, Status.ACCEPTED]
    assert isinstance(answers[2], Undecodable)
    assert [(one.first_position, one.last_position) for one in answers if isinstance(one, Outcome)] == [(1, 1), (0, 0), (2, 2)]
    assert types(event_store) == ["customer.registered.v1", "customer.profile_updated.v1"]


def test_events_carry_the_envelope(pipeline: CommandPipeline, event_store: EventStore) -> None:
    command = register()
    command |= {"correlationid": str(uuid4()), "causationid": str(uuid4())}
    pipeline.submit([command])
    (record,) = event_store.stream(CUSTOMER)
    assert (record.subject, record.version, record.customer_id) == (CUSTOMER, 1, CUSTOMER)
    assert (record.occurred_at, record.effective_on, record.actor) == (TIME, TIME.date(), "ann")
    found = (record.command_id, record.correlation_id, record.causation_id)
    assert tuple(map(str, found)) == (command["id"], command["correlationid"], command["causationid"])


def test_several_aggregates_are_written_together(pipeline: CommandPipeline, event_store: EventStore) -> None:
    answers = pipeline.submit([register(), *sell(LEAD, OPPORTUNITY, CUSTOMER)])
    assert codes(answers[-1]) == []
    assert isinstance(answers[-1], Outcome)
    assert answers[-1].last_position - answers[-1].first_position == 1
    assert types(event_store)[-2:] == ["lead.converted.v1", "opportunity.opened.v1"]


def test_the_same_command_again_gets_the_first_outcome(pipeline: CommandPipeline, another: CommandPipeline) -> None:
    command, refused = register(), rename("x", uuid4())
    first = pipeline.submit([command, command, refused])
    again = another.submit([command, refused])
    expected = [first[0], first[2]]
    assert [one._replace(duplicate=False) for one in again if isinstance(one, Outcome)] == expected
    assert isinstance(first[1], Outcome)
    assert first[1].duplicate
    assert first[1].first_position == 1
    assert [one.document()["status"] for one in again if isinstance(one, Outcome)] == ["duplicate", "duplicate"]


def test_white_space_and_key_order_do_not_make_another_command(pipeline: CommandPipeline) -> None:
    command = register()
    pipeline.submit([command])
    shuffled = dict(reversed(command.items()))
    (answer,) = pipeline.submit([shuffled])
    assert isinstance(answer, Outcome)
    assert answer.duplicate


@pytest.mark.parametrize("same_batch", [True, False])
def test_the_same_id_with_other_content_is_refused(pipeline: CommandPipeline, event_store: EventStore, same_batch: bool) -> None:
    id = uuid4()
    first, other = register(id=id), rename("y", CUSTOMER, id=id)
    answers = pipeline.submit([first, other]) if same_batch else [*pipeline.submit([first]), *pipeline.submit([other])]
    assert codes(answers[1]) == ["command_id_reused"]
    assert types(event_store) == ["customer.registered.v1"]


def test_refused_commands_are_kept_with_what_was_sent(pipeline: CommandPipeline, event_store: EventStore) -> None:
    command = capture(LEAD, CUSTOMER)
    command["data"] |= {"email": "nonsense", "phone": "1"}
    pipeline.submit([command])
    outcome = event_store.outcomes([_id(command)])[_id(command)]
    assert {reason.field for reason in outcome.reasons} == {"email", "phone"}
    assert b'"nonsense"' in (outcome.content or b"")


def test_a_command_for_another_customer_is_refused(pipeline: CommandPipeline, event_store: EventStore) -> None:
    stranger = uuid4()
    screen = ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True)
    answers = pipeline.submit([register(), capture(LEAD, CUSTOMER), send(screen, LEAD, stranger)])
    assert codes(answers[2]) == ["other_customers"]
    (answer,) = pipeline.submit([send(WriteOffInvoice(reason="x"), LEAD, CUSTOMER)])
    assert codes(answer) == ["id_taken"]


def test_a_poison_command_never_fails_its_neighbours(
    pipeline: CommandPipeline, event_store: EventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(command: Any, work: Any) -> None:
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setitem(RULES, ScreenLead, broken)
    screen = ScreenLead(specific_customer=True, potential_intent=True, can_take_part=True)
    answers = pipeline.submit([register(), capture(LEAD, CUSTOMER), send(screen, LEAD, CUSTOMER), rename("z", CUSTOMER)])
    assert [codes(one) for one in answers] == [[], [], ["defect"], []]
    assert types(event_store) == ["customer.registered.v1", "lead.captured.v1", "customer.profile_updated.v1"]


@pytest.mark.parametrize(
    "document",
    [
        b"", b"[]", b"{}", b"\xff\xfe", b'{"specversion": "1.0"}', {**register(), "type": "ltc.nothing.do.v1"},
        {**register(), "id": "17"}, {**register(), "time": "0001-01-01T00:00:00+14:00"}, {**register(), "data": None},
        {**register(), "source": "a\x00b"}, b'{"specversion": "1.0", "specversion": "1.0"}',
    ],
)  # fmt: skip
def test_what_cannot_be_decoded_harms_nobody(pipeline: CommandPipeline, event_store: EventStore, document: Any) -> None:
    answers = pipeline.submit([document, register()], source="test")
    assert isinstance(answers[0], Undecodable)
    assert answers[0].fix
    assert codes(answers[1]) == []
    (letter,) = event_store.dead_letters(0, 10)
    assert (letter.source, letter.reason) == ("test", answers[0].message)
    assert letter.raw == document or orjson.loads(letter.raw) == document


def test_a_batch_of_garbage_alone_is_kept_too(pipeline: CommandPipeline, event_store: EventStore) -> None:
    pipeline.submit([b"garbage"])
    assert [letter.raw for letter in event_store.dead_letters(0, 10)] == [b"garbage"]


def test_a_cached_state_that_another_writer_changed_is_loaded_again(
    pipeline: CommandPipeline, another: CommandPipeline, event_store: EventStore
) -> None:
    pipeline.submit([register()])
    another.submit([rename("first", CUSTOMER)])
    assert codes(pipeline.submit([rename("second", CUSTOMER)])[0]) == []
    assert [record.version for record in event_store.stream(CUSTOMER)] == [1, 2, 3]


def test_a_version_conflict_loads_and_decides_again(database: Database) -> None:
    mine, theirs = Racing(database, Role.WRITER), EventStore(database, Role.WRITER)
    pipeline, another = CommandPipeline(mine, SystemClock()), CommandPipeline(theirs, SystemClock())
    pipeline.submit([register()])
    mine.rival = lambda: another.submit([rename("theirs", CUSTOMER)])
    (answer,) = pipeline.submit([rename("ours", CUSTOMER)])
    assert codes(answer) == []
    assert [record.version for record in mine.stream(CUSTOMER)] == [1, 2, 3]
    mine.rival = lambda: another.submit([command])
    command = rename("both", CUSTOMER)
    (answer,) = pipeline.submit([command])
    assert isinstance(answer, Outcome)
    assert answer.duplicate, "the rival sent the very same command, and was first"
    mine.close()
    theirs.close()


def test_the_next_batch_is_checked_while_one_is_being_stored(database: Database) -> None:
    """A rival is quicker than the first one: it is decided again when its end is waited for, and so before the second."""
    with Racing(database, Role.WRITER) as mine, EventStore(database, Role.WRITER) as theirs:
        pipeline, another = CommandPipeline(mine, SystemClock()), CommandPipeline(theirs, SystemClock())
        pipeline.submit([register()])
        mine.rival = lambda: another.submit([rename("theirs", CUSTOMER)])
        first = pipeline.begin(pipeline.prepare([rename("ours", CUSTOMER), b"garbage"]), source="test")
        second = pipeline.prepare([rename("ours again", CUSTOMER)])
        accepted, refused = first.finish()
        assert codes(accepted) == []
        assert isinstance(refused, Undecodable)
        assert [codes(one) for one in pipeline.begin(second).finish()] == [[]]
        assert [record.version for record in theirs.stream(CUSTOMER)] == [1, 2, 3, 4]
        assert [letter.raw for letter in theirs.dead_letters(0, 10)] == [b"garbage"]


def test_a_batch_of_nothing_has_no_answers(pipeline: CommandPipeline, event_store: EventStore) -> None:
    assert pipeline.begin(pipeline.prepare([])).finish() == []
    assert event_store.head()[0] == 0


def test_endless_contention_is_reported(database: Database) -> None:
    store, theirs = EventStore(database, Role.WRITER), EventStore(database, Role.WRITER)
    another = CommandPipeline(theirs, SystemClock())
    another.submit([register()])

    class Losing(EventStore):
        def begin_append(self, commit: Any) -> Callable[[], int]:
            another.submit([rename(f"again {uuid4()}", CUSTOMER)])
            return super().begin_append(commit)

    losing = Losing(database, Role.WRITER)
    pipeline = CommandPipeline(losing, SystemClock(), contention_limit_s=0.3)
    submission = pipeline.begin(pipeline.prepare([rename("mine", CUSTOMER)]))
    with pytest.raises(Contention, match=r"for 0\.3 seconds"):
        submission.finish()
    with pytest.raises(RuntimeError, match="again"):
        submission.finish()
    for one in (store, theirs, losing):
        one.close()


def test_policies_published_by_others_are_seen(
    pipeline: CommandPipeline, another: CommandPipeline, event_store: EventStore
) -> None:
    pipeline.submit([register()])
    another.submit([publish_billing("5")])
    pipeline.submit([publish_billing("7")])
    versions = [record.event.version for record in event_store.read(0, 10, types=["policy.published.v1"])]  # type: ignore[attr-defined]
    assert versions == [1, 2]


def test_offsets_advance_with_the_batch_or_nothing_is_stored(pipeline: CommandPipeline, event_store: EventStore) -> None:
    pipeline.submit([register()], offsets=[Offset("commands", 0, 0, 1)])
    with pytest.raises(OffsetMoved):
        pipeline.submit([rename("zombie", CUSTOMER)], offsets=[Offset("commands", 0, 0, 1)])
    assert types(event_store) == ["customer.registered.v1"]


def test_a_dry_run_decides_everything_and_stores_nothing(event_store: EventStore) -> None:
    pipeline = CommandPipeline(Rehearsal(event_store), SystemClock())
    first = register()
    assert codes(pipeline.submit([first])[0]) == []
    answers = pipeline.submit([first, rename("x", CUSTOMER), *sell(LEAD, OPPORTUNITY, CUSTOMER)])
    assert [codes(one) for one in answers] == [[]] * 6
    assert isinstance(answers[0], Outcome)
    assert answers[0].duplicate
    assert event_store.head()[0] == 0
    assert event_store.outcomes([_id(first)]) == {}


def test_a_small_cache_changes_nothing(event_store: EventStore) -> None:
    pipeline = CommandPipeline(event_store, SystemClock(), cache_streams=1)
    for number in range(5):
        customer = derive_id("small", str(number))
        assert codes(pipeline.submit([register(customer=customer)])[0]) == []
    for number in range(5):
        customer = derive_id("small", str(number))
        assert codes(pipeline.submit([rename("new", customer)])[0]) == []


COMMANDS = [
    register(id=derive_id("c", "0")),
    *[one | {"id": str(derive_id("c", "1", str(i)))} for i, one in enumerate(sell(LEAD, OPPORTUNITY, CUSTOMER))],
    rename("x", CUSTOMER, id=derive_id("c", "2")),
    rename("nobody", derive_id("nobody"), id=derive_id("c", "3")),
    register(id=derive_id("c", "0")),
]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.integers(1, len(COMMANDS) - 1), unique=True, max_size=4))
def test_where_batches_are_cut_changes_nothing(server: Any, cuts: list[int]) -> None:
    store = EventStore(server.at(server.create()), Role.WRITER)
    pipeline = CommandPipeline(store, SystemClock())
    edges = [0, *sorted(cuts), len(COMMANDS)]
    answers = [one for a, b in pairwise(edges) for one in pipeline.submit(COMMANDS[a:b])]
    assert [one.document()["status"] for one in answers if isinstance(one, Outcome)] == [
        *["accepted"] * 6,
        "refused",
        "duplicate",
    ]
    assert types(store) == [
        "customer.registered.v1", "lead.captured.v1", "lead.accepted.v1", "lead.qualified.v1", "lead.converted.v1",
        "opportunity.opened.v1", "customer.profile_updated.v1",
    ]  # fmt: skip
    assert [record.position for record in store.read(0, 100)] == list(range(1, 8))
    store.close()


def _id(command: dict[str, Any]) -> UUID:
    return UUID(command["id"])


@pytest.mark.parametrize("count", [1, 40])
def test_a_lost_reply_to_commit_is_resolved_from_the_record(database: Database, event_store: EventStore, count: int) -> None:
    """The server commits, the proxy drops the reply: every command is answered as if nothing had happened, and once."""
    proxy = Proxy(database)
    store = EventStore(proxy.database, Role.WRITER)
    pipeline = CommandPipeline(store, SystemClock())
    pipeline.submit([register()])
    commands = [register(customer=derive_id("lost", str(number))) for number in range(count)]
    proxy.cut_reply = committed
    answers = pipeline.submit(commands)
    assert proxy.cuts == 1
    assert [one.document()["status"] for one in answers if isinstance(one, Outcome)] == ["accepted"] * count
    assert [one.first_position for one in answers if isinstance(one, Outcome)] == list(range(2, count + 2))
    assert len(types(event_store)) == count + 1
    again = pipeline.submit(commands)
    assert [one.document()["status"] for one in again if isinstance(one, Outcome)] == ["duplicate"] * count
    store.close()
    proxy.close()


def test_a_lead_is_captured_before_anybody_knows_its_customer_or_campaign(pipeline: CommandPipeline) -> None:
    command = capture(LEAD, derive_id("test", "not registered yet"))
    command["data"]["campaign_id"] = str(derive_id("test", "not planned yet"))
    assert codes(pipeline.submit([command])[0]) == []


def test_a_command_for_a_version_that_is_gone_is_refused_with_the_version_there_is(event_store: EventStore) -> None:
    pipeline = CommandPipeline(event_store, SystemClock())
    seen = [("1", Status.REFUSED), ("0", Status.ACCEPTED), (0, Status.REFUSED)]
    for expected, status in seen:
        (outcome,) = pipeline.submit([{**register(), "expectedversion": expected}])
        assert isinstance(outcome, Outcome)
        assert outcome.status is status
    assert (outcome.reasons[0].code, outcome.reasons[0].field) == ("stale_version", "expectedversion")
    first, second = ({**rename(name, CUSTOMER), "expectedversion": 1} for name in ("Ann", "Bob"))
    accepted, stale = pipeline.submit([first, second])
    assert isinstance(accepted, Outcome)
    assert isinstance(stale, Outcome)
    assert (accepted.status, stale.status) == (Status.ACCEPTED, Status.REFUSED)
    assert "which has version 2 now" in stale.reasons[0].message
    assert "with expectedversion 2" in stale.reasons[0].fix
    repeated, corrected = pipeline.submit([first, {**rename("Bob", CUSTOMER), "expectedversion": 2}])
    assert isinstance(repeated, Outcome)
    assert isinstance(corrected, Outcome)
    assert (repeated.duplicate, corrected.status) == (True, Status.ACCEPTED)
