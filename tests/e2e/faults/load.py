"""What upstream services send in a run: a company's work, and all that goes wrong on the way. The same seed, the same bytes."""

import random
from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson

from ltc_events.bus.cloudevents import STRUCTURED, command_message
from ltc_events.bus.records import Outgoing
from ltc_events.schemas.registry import COMPANY_NOUNS
from ltc_events.simulation import simulate

COMMANDS_EACH: Final = 600
CUSTOMERS: Final = 14
DAYS: Final = 365
COMPANY_COMMANDS: Final = 60
REPEATED_PERCENT: Final = 12
OTHER_CONTENT_PERCENT: Final = 3
GARBAGE_PERCENT: Final = 6
STRUCTURED_PERCENT: Final = 10
TWINS: Final = 4
"""Pairs of commands that have one id and go to two customers, so most often to two partitions."""
PATIENCE: Final = 150
"""A message is repeated at most so many messages later."""


class Load(NamedTuple):
    """Messages for the topic of commands, in the order in which they are sent."""

    company: list[Outgoing]
    """What the others build on: policies, price books and campaigns. Sent first, and answered before the others are sent."""
    customers: list[Outgoing]
    commands: dict[Outgoing, dict[str, Any]]
    """The document of each message that is a command."""
    twins: frozenset[str]
    """The ids that stand for two commands of different customers: which of the two is first, nobody can say."""

    @property
    def messages(self) -> list[Outgoing]:
        """All of them."""
        return self.company + self.customers


def make_load(seed: int, commands: int = COMMANDS_EACH, *, garbage_percent: int = GARBAGE_PERCENT) -> Load:
    """A company's first so many commands, repeated and accompanied by garbage."""
    dice = random.Random(f"load {seed}")
    documents = [orjson.loads(one) for one in simulate(seed, CUSTOMERS, DAYS)]
    company = [one for one in documents if _is_company(one)][:COMPANY_COMMANDS]
    customers = [one for one in documents if not _is_company(one)][: commands - len(company)]
    twins = list(_twins(dice))
    for pair in twins:
        for one in pair:
            customers.insert(dice.randrange(len(customers) + 1), one)
    known: dict[Outgoing, dict[str, Any]] = {}
    sent = [(at, message) for at, message in enumerate(_messages(customers, dice, known))]
    late = [(at + dice.random() * PATIENCE, one) for at, message in sent for one in _more(message, dice, known, garbage_percent)]
    ordered = [message for _, message in sorted(sent + late, key=lambda one: one[0])]
    first = list(_messages(company, dice, known))
    return Load(first, ordered, known, frozenset(one["id"] for one, _ in twins))


def _is_company(document: dict[str, Any]) -> bool:
    return document["type"].split(".")[1] in COMPANY_NOUNS


def _messages(documents: list[dict[str, Any]], dice: random.Random, known: dict[Outgoing, dict[str, Any]]) -> Iterator[Outgoing]:
    for document in documents:
        message = _message(document, structured=dice.randrange(100) < STRUCTURED_PERCENT)
        known[message] = document
        yield message


def _message(document: dict[str, Any], *, structured: bool = False) -> Outgoing:
    if structured:
        return document["partitionkey"].encode(), orjson.dumps(document), (("content-type", STRUCTURED.encode()),)
    key, value, headers = command_message(document)
    return key, value, tuple(headers)


def _more(
    message: Outgoing, dice: random.Random, known: dict[Outgoing, dict[str, Any]], garbage_percent: int
) -> Iterator[Outgoing]:
    """What comes besides: the same again, something else under the same id, garbage."""
    if dice.randrange(100) < REPEATED_PERCENT:
        yield from [message] * dice.randint(1, 3)
    if dice.randrange(100) < OTHER_CONTENT_PERCENT:
        other = known[message] | {"actor": "somebody else"}
        again = _message(other)
        known[again] = other
        yield again
    if dice.randrange(100) < garbage_percent:
        yield _garbage(message, dice)


def _garbage(message: Outgoing, dice: random.Random) -> Outgoing:
    """A message made unusable: no two are the same."""
    key, value, headers = message
    mark = ("mark", b"%d" % dice.getrandbits(60))
    marked, no_type = (*headers, mark), tuple(one for one in headers if one[0] not in ("ce_type", "content-type"))
    return dice.choice(
        [
            (key, b"\xff\x00 no JSON", marked),
            (key, None, marked),
            (None, value, marked),
            (b"somebody else", value, marked),
            (str(UUID(int=dice.getrandbits(128), version=4)).encode(), value, marked),
            (key, value, (mark,)),
            (key, value, (*no_type, ("ce_id", b"\xfe\xff"), mark)),
            (key, b"{}", (("ce_id", b"1"), ("ce_type", b"ltc.nothing.do.v1"), ("ce_partitionkey", key or b""), mark)),
            (key, b"[]", (("content-type", STRUCTURED.encode()), mark)),
        ]
    )


def _twins(dice: random.Random) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for number in range(TWINS):
        id, one, other = (str(UUID(int=dice.getrandbits(128), version=4)) for _ in range(3))
        yield _register(id, one, f"Twin {number}"), _register(id, other, f"Other twin {number}")


def _register(id: str, customer: str, name: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "simulation/crm",
        "type": "ltc.customer.register.v1",
        "subject": customer,
        "partitionkey": customer,
        "time": "2026-01-05T09:00:00Z",
        "actor": "ann",
        "data": {"profile": {"name": name, "email": "office@twin.example"}},
    }
