"""What no index of PostgreSQL takes as a key, and a ledger of an older version that took it from a client."""

import random
import string
from uuid import uuid4

from tests.commits import EFFECTIVE_ON, OCCURRED_AT, accepted

from ltc_events.schemas.customer import CustomerRegistered, Profile
from ltc_events.store import Commit, EventStore, NewEvent

# Too long also when it is compressed.
LONG = "".join(random.Random(1).choices(string.ascii_letters + string.digits, k=3000))


def take_references(store: EventStore, *references: str) -> int:
    """Store a customer for each of these references, past every check of commands; the position of the last event."""
    for number, reference in enumerate(references):
        customer, command = uuid4(), uuid4()
        event = CustomerRegistered(profile=Profile(name=f"Customer {number}"), references={"erp": reference}, policy_version=0)
        made = NewEvent(customer, 1, event, customer, OCCURRED_AT, EFFECTIVE_ON, command, command, command, "old")
        store.append(Commit([made], [accepted(command, 1, 1)]))
    return store.head()[0]
