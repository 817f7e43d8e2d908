"""Everything that must be right, looked at once."""

import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from ltc_events.bootstrap.services import Services
from ltc_events.diagnosis.access import examine_access
from ltc_events.diagnosis.check import Check
from ltc_events.diagnosis.database import examine_database
from ltc_events.diagnosis.notary import examine_notary
from ltc_events.diagnosis.reader_database import examine_reading
from ltc_events.kernel.errors import LtcError
from ltc_events.scheduling.duties import CLOCK
from ltc_events.store.confidential import all_without_secrets


class Examination(NamedTuple):
    """The checks, in the order in which they depend on each other; what they tell holds no secret."""

    checks: list[Check]

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.healthy for check in self.checks)

    def document(self) -> dict[str, Any]:
        """As JSON: `healthy`, and of each check its name, whether it is healthy, what was seen, and the fix."""
        return {"healthy": self.healthy, "checks": [check._asdict() for check in self.checks]}


def examine(services: Services) -> Examination:
    """Look at the interpreter, the databases, the notary's key and, where there is one, Kafka. Changes nothing."""
    return Examination([Check(*map(all_without_secrets, check)) for check in _checks(services)])


def _checks(services: Services) -> Iterator[Check]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), version, "use Python 3.11 or newer")
    try:
        database = services.database
    except LtcError as error:
        yield Check("database", False, error.message, error.fix)
        return
    yield from examine_database(database, is_embedded=services.is_embedded)
    if services.settings.reader_url is not None:
        yield examine_reading(services.reading, database)
    yield examine_access(database, services.bus.of_everybody.sender if services.has_bus else CLOCK)
    yield from examine_notary(database, services.settings.notary_key)
    if not services.has_bus:
        yield Check("kafka", True, "not configured: commands come by `ltc submit` and `ltc import`")
        return
    from ltc_events.diagnosis.bus import examine_bus

    yield from examine_bus(services.bus, database)
