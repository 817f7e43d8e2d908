"""Compares rows with the ledger, in bulk: new things are sent, changes become the commands of the step's head."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from ltc_events.application.batch import NOTHING, Entry, fold
from ltc_events.application.pipeline import CommandPipeline
from ltc_events.importing.changes import Change, Constant, Fixed, Following
from ltc_events.importing.documents import CHANGED_KEY, Document, Envelope, begin, make
from ltc_events.importing.runs import is_run_of
from ltc_events.kernel.clock import Clock
from ltc_events.kernel.ids import derive_id
from ltc_events.kernel.principals import Principal
from ltc_events.schemas.record import Record
from ltc_events.store.ledger_store import LedgerStore
from ltc_events.store.rehearsal import Rehearsal


class Compared(NamedTuple):
    """A row's command that is compared with the ledger before it is sent; `said` is the row's whole data."""

    following: Following
    said: dict[str, Any]


class Alternatives(NamedTuple):
    """A change that is on its way: which, and what else may bring the ledger to the same (a stage may go on or back)."""

    following: Following
    change: Change
    data: dict[str, Any]
    others: tuple[Document, ...]


class Step(NamedTuple):
    """One command of what a row comes to; of a change, with its alternatives."""

    document: Document
    change: Alternatives | None = None


class Odd(NamedTuple):
    """The reason why a row is not compared."""

    code: str
    reason: str
    fix: str


class Held(NamedTuple):
    """The ledger's state of a thing. `gone`: what told the ledger that it vanished from the export, a command of this mapping.

    `undone`: the commands that were taken back; `least`: before what moment and day nothing can be changed, as it vanished
    or was taken back then.
    """

    entry: Entry
    records: Sequence[Record] = ()
    gone: Record | None = None
    undone: frozenset[UUID] = frozenset()
    least: tuple[datetime, date] | None = None


NOT_HELD = Held(NOTHING)


class Follower:
    """Compares the rows of one run of a mapping with what `store` holds.

    `owner` is the name by which the mapping's runs are known; see `runs`. `principal` sends their commands.
    """

    def __init__(
        self, store: LedgerStore, clock: Clock, envelope: Envelope, owner: str, principal: Principal | None = None
    ) -> None:
        self._store = store
        self._principal = principal
        self._clock = clock
        self._envelope = envelope
        self._owner = owner
        self._said: dict[int, int] = {}

    def held(self, wanted: Iterable[tuple[UUID, Following]]) -> dict[UUID, Held]:
        """The ledger's states of these things, in one query; unknown ones are absent."""
        followings = dict(wanted)
        found = {}
        for id, records in self._store.load(list(followings)).items():
            entry = fold(records)
            gone, turns, rest = self._take_out_gone(id, records, followings[id].vanished, entry.state)
            reversals = self._reversals(records)
            dated = [(one.occurred_at, one.effective_on) for one in (*turns, *reversals)]
            least = (max(moment for moment, _ in dated), max(day for _, day in dated)) if dated else None
            found[id] = Held(entry, rest, gone, frozenset(one.causation_id for one in reversals), least)
        return found

    def _reversals(self, records: Sequence[Record]) -> list[Record]:
        """What took back commands of the mapping's runs: caused by them, and not of such a run itself."""
        ours = {one.command_id for one in records if is_run_of(self._owner, one.correlation_id)}
        return [one for one in records if one.causation_id in ours and not is_run_of(self._owner, one.correlation_id)]

    def foreseen(self, documents: Sequence[Document], groups: Sequence[int | None], ids: Iterable[UUID]) -> dict[UUID, Held]:
        """What the ledger will hold of these when it has decided the documents, which nothing is stored of."""
        with Rehearsal(self._store) as trial:
            CommandPipeline(trial, self._clock, principal=self._principal).submit(documents, groups=groups)
            return {id: Held(fold(records)) for id, records in trial.load(list(ids)).items()}

    def contradiction(self, document: Document, said: dict[str, Any]) -> Odd | None:
        """Whether an earlier row of this run says something else of the same thing: then the first one holds, every time."""
        subject, content = UUID(document["subject"]).int, hash(repr(sorted(said.items())))
        key = hash((subject, document["type"]))
        if self._said.setdefault(key, content) == content:
            return None
        return Odd(
            "contradicts",
            "an earlier row of this import says something else of the same thing",
            "leave one of the rows in the file, or name the key of the source",
        )

    def steps(self, document: Document, compared: Compared, held: Held, *, is_new: bool = False) -> list[Step] | Odd:
        """The commands that change the ledger's state to the row's; none: they are equal."""
        following, said = compared
        changes = _differing(following, said, held.entry.state)
        steps = []
        if held.gone is not None:
            if following.back is None:
                reason = f"it had vanished, which the ledger was told at {held.gone.recorded_at:%Y-%m-%d %H:%M}, and is back"
                return Odd("back", reason, "say in if_back of the step what brings it back, or do it by hand")
            steps.append(Step(self._constant(document, following.back, said, held)))
        if changes and self._is_stale(following, said, held):
            reason = f"it was changed at {said[CHANGED_KEY]}, and the ledger knows of a later change from this export"
            return Odd("stale", reason, "import the latest export; what an older one says is not taken back")
        if not is_new:
            for field in following.fixed:
                if (other := field.other(said, held.entry.state)) is not None:
                    return _cannot_change(field, *other)
        made: dict[tuple[str, ...], list[tuple[Change, dict[str, Any]]]] = {}
        for change, data in changes:
            made.setdefault(change.compared, []).append((change, data))
        for same in made.values():
            documents = [self._document(document, one.model.type, data, said, held, is_new=is_new) for one, data in same]
            steps.append(Step(documents[0], Alternatives(following, *same[0], tuple(documents[1:]))))
        return steps

    def is_settled(self, change: Alternatives, held: Held) -> bool:
        """Whether the ledger holds by now what a change was refused for."""
        return held.entry.state is not None and not change.change.differs(change.data, held.entry.state)

    def vanished(self, id: UUID, following: Following, held: Held) -> Document | None:
        """The command that takes a thing as gone, where the step's head has one."""
        constant = following.vanished
        if not isinstance(constant, Constant):
            return None
        key = str(held.entry.customer_id or id)
        now = self._clock.now()
        day = now.astimezone(self._envelope.zone).date().isoformat()
        made = make(self._envelope, constant.model.type, str(id), key, now, day, None, constant.data)
        return {**made, "id": str(self._vanished_id(id, constant, held.entry.version))}

    def _vanished_id(self, id: UUID, constant: Constant, version: int) -> UUID:
        return derive_id("import", self._owner, "vanished", constant.model.type, str(id), str(version))

    def _take_out_gone(
        self, id: UUID, records: Sequence[Record], constant: Constant | str | None, state: Any
    ) -> tuple[Record | None, list[Record], Sequence[Record]]:
        """What says that it is gone, by a command of ours (None: it is not, or came back); the turns it took; all other records.

        It is back by another command of a run, or when its status is another by now: whoever reopened it.
        """
        if not isinstance(constant, Constant):
            return None, [], records
        gone, told, before = None, NOTHING, 0
        rest: list[Record] = []
        for place, record in enumerate(records):
            if gone is not None and record.command_id == gone.command_id:
                told = fold(records[: place + 1])
            elif record.command_id == self._vanished_id(id, constant, before):
                gone, told = record, fold(records[: place + 1])
            else:
                rest.append(record)
                if is_run_of(self._owner, record.correlation_id):
                    gone = None
            before = record.version
        if gone is None:
            return None, [], rest
        if _status(state) == _status(told.state):
            return gone, [gone], rest
        later = [record for record in records if record.version > told.version]
        states = (fold(later[:number], told).state for number in range(1, len(later) + 1))
        back = (record for record, then in zip(later, states, strict=True) if _status(then) != _status(told.state))
        return None, [gone, *islice(back, 1)], rest

    def _is_stale(self, following: Following, said: dict[str, Any], held: Held) -> bool:
        if CHANGED_KEY not in said:
            return False
        names = {name for change in following.changes for name in change.compared}
        moment = self._moment(said[CHANGED_KEY])[0]
        return any(
            record.occurred_at > moment
            for record in held.records
            if record.command_id not in held.undone
            and is_run_of(self._owner, record.correlation_id)
            and not names.isdisjoint(type(record.event).model_fields)
        )

    def _constant(self, document: Document, constant: Constant, said: dict[str, Any], held: Held) -> Document:
        return self._document(document, constant.model.type, constant.data, said, held)

    def _document(
        self, document: Document, type: str, data: dict[str, Any], said: dict[str, Any], held: Held, *, is_new: bool = False
    ) -> Document:
        """A change as a command. Its id follows from what it says and what it was held against: A, B and A again are three."""
        if CHANGED_KEY in said:
            moment, day = self._moment(said[CHANGED_KEY])
            if held.least is not None and not is_new:
                moment, day = max(moment, held.least[0]), max(day, held.least[1])
        elif is_new:
            moment, day = datetime.fromisoformat(document["time"]), date.fromisoformat(document["data"]["effective_on"])
        else:
            moment = self._clock.now()
            day = moment.astimezone(self._envelope.zone).date()
        made = make(
            self._envelope,
            type,
            document["subject"],
            document["partitionkey"],
            moment,
            day.isoformat(),
            document.get("actor"),
            data,
        )
        return {**made, "id": str(derive_id("import", "change", made["id"], str(held.entry.version)))}

    def _moment(self, text: str) -> tuple[datetime, date]:
        """A moment and its business date, of what the column `changed` says."""
        if "T" in text:
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC), moment.astimezone(self._envelope.zone).date()
        day = date.fromisoformat(text)
        return begin(day, self._envelope.zone).astimezone(UTC), day


def _status(state: Any) -> Any:
    return getattr(state, "status", None)


def _cannot_change(field: Fixed, path: str, held: Any, said: Any) -> Odd:
    """A row that says otherwise than the ledger of a field that the step's head brings no change of."""
    reason = f"{path} is {'empty' if held is None else held} in the ledger, and the row says {said}"
    if field.changers:
        return Odd("cannot_change", reason, f"name {' or '.join(field.changers)} in if_changed of the step, or correct the row")
    return Odd("cannot_change", reason, f"correct the row, or give it a key of its own: no command changes {path}")


def _differing(following: Following, said: dict[str, Any], state: Any) -> list[tuple[Change, dict[str, Any]]]:
    found = []
    for change in following.changes:
        data = change.command(said)
        if data is not None and change.differs(data, state):
            found.append((change, data))
    return found
