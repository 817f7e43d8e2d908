"""The command pipeline: decides a batch of CloudEvents in order and stores it in ONE transaction, one outcome a command."""

from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from uuid import UUID

import structlog

from ltc_events.aggregates.policies import POLICY_IDS, Policies
from ltc_events.aggregates.registry import AGGREGATES
from ltc_events.application.authorisation import authorise, require_sender_keeps, require_within_limits
from ltc_events.application.backoff import CONTENTION_LIMIT_S, Backoff
from ltc_events.application.batch import Batch, Cache, CommandUnitOfWork
from ltc_events.application.dispatch import dispatch
from ltc_events.application.errors import CommandIdReused, Defect, EventTooLarge, NeverSubmitted, NotDecided
from ltc_events.application.parsing import Document, Prepared, dead_letter, prepare
from ltc_events.application.prefetching import listed_nouns, streams_of
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.collector import collector_paused
from ltc_events.kernel.errors import Refused
from ltc_events.kernel.frozen import new_tuple
from ltc_events.kernel.principals import Principal
from ltc_events.schemas.envelope import Message
from ltc_events.schemas.outcome import Outcome, Refusal, Status
from ltc_events.schemas.policy import PolicyPublished
from ltc_events.schemas.undecodable import Undecodable
from ltc_events.store import StoreError
from ltc_events.store.commit import Commit, NewEvent, Offset, StoredTrace
from ltc_events.store.error_text import error_text
from ltc_events.store.errors import (
    CommandAlreadyRecorded,
    CommitUnknown,
    HeadMoved,
    OversizedEvent,
    StaleRead,
    StoreWentBack,
    VersionConflict,
)
from ltc_events.store.ledger_store import LedgerStore

log = structlog.get_logger()

CACHE_STREAMS = 50_000
_ACCEPTED = Status.ACCEPTED

Answer = Outcome | Undecodable
_Steps = Generator[None, None, list[Outcome]]
"""Deciding and storing, with a pause wherever the store is at work and the caller may be as well."""


class Submission:
    """A batch that is decided and being stored."""

    def __init__(self, batch: Sequence[Prepared], work: _Steps) -> None:
        self._batch = batch
        self._work = work
        self._outcomes: list[Outcome] | None = None
        self._go_on()

    def finish(self) -> list[Answer]:
        """Wait until it is stored; one answer per document. Raises the errors of `CommandPipeline.submit`. Call it once."""
        with collector_paused():
            while self._outcomes is None:
                self._go_on()
        return _in_place(self._batch, self._outcomes)

    def _go_on(self) -> None:
        try:
            next(self._work)
        except StopIteration as end:
            if end.value is None:
                raise RuntimeError("a submission that failed was finished again") from None
            self._outcomes = end.value


class CommandPipeline:
    """Decides and stores commands. One pipeline per thread; several pipelines and processes may work on one store.

    `principal` is who sends what comes by this door, as the door has authenticated him; it is recorded with each outcome.
    On a `Rehearsal` of a store commands are decided and kept there: later ones build on earlier ones, and nothing is stored.
    """

    def __init__(
        self,
        store: LedgerStore,
        clock: Clock,
        *,
        cache_streams: int = CACHE_STREAMS,
        contention_limit_s: float = CONTENTION_LIMIT_S,
        principal: Principal | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self.principal = principal
        self._contention_limit_s = contention_limit_s
        self._cache = Cache(cache_streams)
        self._policies = Policies()
        self._position = -1
        """Up to where the cache and the policies are known to be true."""
        self._is_alone = False
        """Whether nobody else wrote between the last two batches: then it is likely that nobody does before the next."""

    def submit(
        self,
        documents: Sequence[Document],
        offsets: Sequence[Offset] = (),
        *,
        source: str = "submit",
        groups: Sequence[int | None] = (),
    ) -> list[Answer]:
        """Decide a batch in order and store it in one transaction; one answer per document, in the same order.

        A batch should have at most some 500 documents. `offsets` advance with the batch, by compare-and-set; `source` is
        recorded in dead letters as the origin of the documents. `groups` gives a group number to documents that belong
        together: after a refused document, the later ones of its group are not decided, and answered with `not_decided`.
        Raises Contention, OffsetMoved, ConnectionLost or StoreWentBack; then nothing of the batch is stored.
        """
        with collector_paused():
            return self.begin(self.prepare(documents), offsets, source=source, groups=groups).finish()

    def prepare(self, documents: Sequence[Document]) -> list[Prepared]:
        """Parse and validate each document. This needs no store, so it may run while the previous batch is being stored."""
        now, principal = self._clock.now(), self.principal
        return [prepare(document, now, principal) for document in documents]

    def begin(
        self,
        batch: Sequence[Prepared],
        offsets: Sequence[Offset] = (),
        *,
        source: str = "submit",
        groups: Sequence[int | None] = (),
    ) -> Submission:
        """As `submit`, but return while the batch is being stored; it may be stored even if the submission is never finished.

        Until the submission is finished, only `prepare` may be called on the pipeline.
        """
        messages = [one.parsed for one in batch if isinstance(one.parsed, Message)]
        dead = [dead_letter(source, one.document, one.parsed) for one in batch if isinstance(one.parsed, Undecodable)]
        together = [group for one, group in zip(batch, groups, strict=True) if isinstance(one.parsed, Message)] if groups else ()
        return Submission(batch, self._outcomes(messages, Commit(offsets=list(offsets), dead_letters=dead), together))

    def recall(self, batch: Sequence[Prepared]) -> list[Answer]:
        """The recorded answers to documents that were submitted before; nothing is decided or stored. Raises NeverSubmitted."""
        messages = [one.parsed for one in batch if isinstance(one.parsed, Message)]
        known = {id.int: outcome for id, outcome in self._store.outcomes([one.command_id for one in messages]).items()}
        for message in messages:
            if message.command_id.int not in known:
                raise NeverSubmitted(id=message.command_id)
        return _in_place(batch, _answers(messages, known, {}))

    def _outcomes(self, messages: Sequence[Message], empty: Commit, groups: Sequence[int | None]) -> _Steps:
        mine: set[int] = set()
        too_large: dict[int, EventTooLarge] = {}
        backoff: Backoff | None = None
        while True:
            # To look at the store first is a round trip. A lone command that finds it as it was saves it.
            is_blind = backoff is None and self._is_alone and len(messages) == 1 and not (empty.offsets or empty.dead_letters)
            expected = self._position if is_blind else None
            commit = Commit(offsets=empty.offsets, dead_letters=empty.dead_letters, expected=expected)
            try:
                return (yield from self._attempt(messages, commit, mine, groups, too_large))
            except OversizedEvent as found:
                # Nothing is stored. Those behind it are decided again: they may have built on what it would have made.
                too_large[found.details["command"].int] = EventTooLarge(**found.details)
                continue
            except HeadMoved:
                self._is_alone = False
                reason = "head_moved"
            except StaleRead:
                reason = "stale_read"
            except VersionConflict as conflict:
                self._cache.forget(conflict.details["streams"])
                reason = "version_conflict"
            except CommandAlreadyRecorded:
                reason = "commands_recorded_meanwhile"
            except CommitUnknown:
                # The recorded outcomes say whether it was stored: the next attempt finds them, or nothing, and decides.
                mine.update(outcome.command_id.int for outcome in commit.outcomes)
                reason = "commit_reply_lost"
            # Whoever only found that he is not alone has not looked yet: that one attempt costs nobody a wait.
            if backoff is None:
                backoff = Backoff(self._contention_limit_s)
                if is_blind:
                    continue
            log.info("attempt_in_vain", reason=reason, attempt=backoff.attempts + 1)
            backoff.wait()

    def _attempt(
        self,
        messages: Sequence[Message],
        commit: Commit,
        mine: Collection[int],
        groups: Sequence[int | None],
        too_large: Mapping[int, EventTooLarge],
    ) -> _Steps:
        known = self._begin([message.command_id for message in messages]) if commit.expected is None else {}
        batch = Batch(self._store, self._cache, self._policies, self._clock.now())
        fresh = [message for message in messages if message.command_id.int not in known] if known else messages
        batch.prefetch([id for message in fresh for id in streams_of(message, self._policies)])
        for noun, customers in listed_nouns(fresh).items():
            batch.list_streams(AGGREGATES[noun], customers)
        decided: dict[int, Outcome] = {}
        for message in _in_turn(messages, groups, known, decided) if groups else fresh:
            number = message.command_id.int
            if number not in decided:
                large = too_large.get(number) if too_large else None
                outcome = _refused(message, (_reason(large),)) if large else _decide(batch, message, commit.events)
                decided[number] = outcome
                if message.trace is not None and outcome.first_position:
                    commit.traces.append(StoredTrace(outcome.first_position, outcome.last_position, message.trace))
        commit.outcomes.extend(decided.values())
        if decided and commit.expected is None:
            commit.reads = batch.reads(self._position, commit.events)
        base = yield from self._append(commit)
        self._cache.absorb(batch)
        self._policies = batch.policies
        # What an attempt of this very call had stored, its reply lost, is no repetition.
        stored = {number: known.pop(number) for number in mine if number in known}
        return _answers(messages, known, stored | {number: _placed(one, base) for number, one in decided.items()})

    def _begin(self, command_ids: list[UUID]) -> dict[int, Outcome]:
        """The recorded outcomes of these commands, by the `int` of the id; brings the cache and the policies up to the head."""
        beginning = self._store.begin(command_ids, self._position)
        if beginning.position < self._position:  # what we know of streams and policies is lost
            raise StoreWentBack(what=f"its head is {beginning.position}, and was {self._position}")
        self._is_alone = self._position == beginning.position
        if self._position != beginning.position:
            self._cache.forget(beginning.changed)
            if beginning.changed is None or not POLICY_IDS.keys().isdisjoint(beginning.changed) or self._position < 0:
                self._policies = self._load_policies()
            self._position = beginning.position
        return {id.int: outcome for id, outcome in beginning.outcomes.items()}

    def _load_policies(self) -> Policies:
        policies = Policies()
        for records in self._store.load(list(POLICY_IDS)).values():
            for record in records:
                if isinstance(record.event, PolicyPublished):
                    policies = policies.with_published(record.event)
        return policies

    def _append(self, commit: Commit) -> Generator[None, None, int]:
        if not (commit.outcomes or commit.offsets or commit.dead_letters):
            return 0
        if commit.expected is not None and not commit.is_lone:
            raise HeadMoved(expected=commit.expected)  # so many events go another way, for which we have to look first
        end = self._store.begin_append(commit)
        yield
        base = end()
        if base == self._position:
            self._position = base + len(commit.events)
        # Otherwise somebody wrote between our look and our commit: the next batch finds out what.
        return base


def _in_place(batch: Sequence[Prepared], outcomes: Iterable[Outcome]) -> list[Answer]:
    """One answer per document, in order: the outcome of a command, or the reason why it is none."""
    left = iter(outcomes)
    return [next(left) if isinstance(one.parsed, Message) else one.parsed for one in batch]


def _decide(batch: Batch, message: Message, events: list[NewEvent]) -> Outcome:
    """Decide one command: emit its events or refuse it. A defect in deciding it affects no other command. Raises StoreError."""
    if message.command is None:
        return _refused(message, message.reasons)
    access = batch.access
    try:
        authorised = authorise(message, message.command, access)
        command = batch.business_dated(authorised, message.command)
        work = CommandUnitOfWork(batch, authorised, command.effective_on)
        if message.expected_version is not None:
            work.require_version(message.expected_version)
        dispatch(command, work)
        require_sender_keeps(authorised, command)
        if access is not None:
            require_within_limits(authorised, command, work.emitted, access)
    except Refused as refusal:
        return _refused(message, (_reason(refusal),))
    except StoreError:
        raise  # no fault of the command: a lost connection, an event that only a newer program can read
    except Exception as error:  # a defect in one rule: logged, and its command refused with code `defect`
        ids = {"correlation_id": str(message.correlation_id), "causation_id": str(message.causation_id)}
        log.exception("command_defect", command_id=str(message.command_id), type=message.type, **ids)
        defect = Defect(error=f"{type(error).__name__}: {error_text(error)}")
        return _refused(message, (Refusal(code=defect.code, field="", message=defect.message, fix=defect.fix),))
    work.finish()
    first = len(events) + 1 if work.emitted else 0
    events += work.emitted
    last = len(events) if work.emitted else 0
    principal = message.principal
    sender = None if principal is None else principal.text
    values = (message.command_id, message.type, message.content_hash, _ACCEPTED, first, last, (), None, False, sender)
    return new_tuple(Outcome, values)


def _reason(refusal: Refused) -> Refusal:
    return Refusal(code=refusal.code, field=refusal.refused_field, message=refusal.message, fix=refusal.fix)


def _refused(message: Message, reasons: tuple[Refusal, ...]) -> Outcome:
    id, sender = message.command_id, None if message.principal is None else message.principal.text
    return Outcome(id, message.type, message.content_hash, Status.REFUSED, 0, 0, reasons, message.content, principal=sender)


def _answers(messages: Sequence[Message], known: Mapping[int, Outcome], decided: Mapping[int, Outcome]) -> list[Outcome]:
    """An outcome per message: the one just decided for the first message of a command, a repetition for its duplicates."""
    first = dict(known)
    answers = []
    for message in messages:
        number = message.command_id.int
        if number in first:
            answers.append(_repeat(message, first[number]))
            continue
        if number not in decided:
            answers.append(_undecided(message))
            continue
        first[number] = decided[number]
        answers.append(decided[number])
    return answers


def _in_turn(
    messages: Sequence[Message], groups: Sequence[int | None], known: Mapping[int, Outcome], decided: Mapping[int, Outcome]
) -> Iterator[Message]:
    """The messages to decide, while `decided` grows; after a refused message, the rest of its group is skipped."""
    stopped: set[int] = set()
    for message, group in zip(messages, groups, strict=True):
        number = message.command_id.int
        if group in stopped:
            continue
        if number not in known:
            yield message
        if group is not None and (known.get(number) or decided[number]).status is Status.REFUSED:
            stopped.add(group)


def _placed(outcome: Outcome, base: int) -> Outcome:
    """An outcome of this batch with the positions that the store assigned to its events."""
    id, kind, content_hash, status, first, last, reasons, content, duplicate, sender = outcome
    if not first:
        return outcome
    return new_tuple(Outcome, (id, kind, content_hash, status, base + first, base + last, reasons, content, duplicate, sender))


def _undecided(message: Message) -> Outcome:
    reason = NotDecided()
    return _refused(message, (Refusal(code=reason.code, field="", message=reason.message, fix=reason.fix),))


def _repeat(message: Message, first: Outcome) -> Outcome:
    """The recorded outcome marked as a duplicate, or CommandIdReused when the content differs: a command happens once."""
    if first.content_hash == message.content_hash:
        return first._replace(duplicate=True)
    return _refused(message, (_reason(CommandIdReused(id=message.command_id)),))
