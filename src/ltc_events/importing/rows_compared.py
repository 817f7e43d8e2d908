"""Compares the rows of a batch with the ledger: what is sent of each, and what becomes of changes that are refused."""

from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from ltc_events.application.pipeline import Answer
from ltc_events.importing.answers import SETTLED, is_held, is_refused
from ltc_events.importing.comparison import NOT_HELD, Follower, Held, Odd
from ltc_events.importing.counts import Counts
from ltc_events.importing.origin import Origin


class Ready(NamedTuple):
    """What is to be sent of a batch. `stopped`: the last command of a row that is not compared; the row ends with it."""

    origins: list[Origin]
    stopped: Origin | None


def compared(pending: Sequence[Origin], follower: Follower, counts: Counts) -> Ready:
    """What the rows that follow the ledger come to, in place of their commands."""
    if not any(origin.compared for origin in pending):
        return Ready(list(pending), None)
    held = follower.held((_subject(one), one.compared.following) for one in pending if one.compared)
    ahead = _ahead(pending, held, follower)
    ready: list[Origin] = []
    stopped: Origin | None = None
    for origin in pending:
        if stopped is not None and origin.is_behind(stopped):
            counts.hold_back(origin, stopped.type)
            continue
        made = _of_row(origin, held, ahead, follower)
        if isinstance(made, Odd):
            counts.odd(origin, made)
            stopped = origin
            continue
        if not made:
            counts.unchanged(origin)
        ready += made
    return Ready(ready, stopped)


def _of_row(origin: Origin, held: dict[UUID, Held], ahead: dict[UUID, Held], follower: Follower) -> list[Origin] | Odd:
    """What is sent of one row: its command, what changes the ledger to what it says, or both; nothing: it is so already."""
    if origin.compared is None:
        return [origin]
    id, following = _subject(origin), origin.compared.following
    found = held.get(id, NOT_HELD)
    if following.is_done(found.entry.state):
        return []
    if not following.compares and found.gone is None:
        return [origin]
    odd = follower.contradiction(origin.document, origin.compared.said)
    if odd is not None:
        return odd
    if not following.is_new(found.entry.state):
        steps = follower.steps(origin.document, origin.compared, found)
        before = []
    elif following.further and id in ahead:
        steps = follower.steps(origin.document, origin.compared, ahead[id], is_new=True)
        before = [origin]
    else:
        return [origin]
    if isinstance(steps, Odd):
        return steps
    return before + [origin._replace(document=one.document, compared=None, change=one.change) for one in steps]


def _ahead(pending: Sequence[Origin], held: dict[UUID, Held], follower: Follower) -> dict[UUID, Held]:
    """What the ledger will hold of new things that may need more than their first command, which goes with it."""
    wanted: list[UUID] = []
    cut: set[int] = set()
    tried: list[Origin] = []
    for origin in pending:
        if origin.group in cut:
            continue
        tried.append(origin)
        if origin.compared is not None and origin.compared.following.further:
            id = _subject(origin)
            if origin.compared.following.is_new(held.get(id, NOT_HELD).entry.state):
                wanted.append(id)
                cut |= {origin.group} if origin.group is not None else set()
    if not wanted:
        return {}
    return follower.foreseen([one.document for one in tried], [one.group for one in tried], wanted)


def reconsider(
    pending: list[Origin], answers: list[Answer], follower: Follower, submit: Callable[[Sequence[Origin]], list[Answer]]
) -> None:
    """A change that was refused may be so already (somebody else was quicker), or be brought about otherwise."""
    while True:
        refused = {
            place: one.change
            for place, (one, answer) in enumerate(zip(pending, answers, strict=True))
            if one.change is not None and is_refused(answer) and not is_held(answer)
        }
        if not refused:
            return
        held = follower.held((_subject(pending[place]), one.following) for place, one in refused.items())
        redone: set[int | None] = set()
        again: list[int] = []
        for place, change in refused.items():
            origin = pending[place]
            if follower.is_settled(change, held.get(_subject(origin), NOT_HELD)):
                answers[place] = SETTLED
            elif change.others:
                rest = change._replace(others=change.others[1:])
                pending[place] = origin._replace(document=change.others[0], change=rest)
                again.append(place)
            else:
                continue
            redone.add(origin.group)
        again += [p for p, answer in enumerate(answers) if is_held(answer) and pending[p].group in redone - {None}]
        if not again:
            return
        again.sort()
        for place, answer in zip(again, submit([pending[place] for place in again]), strict=True):
            answers[place] = answer


def _subject(origin: Origin) -> UUID:
    return UUID(origin.document["subject"])
