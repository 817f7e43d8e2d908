"""A believable company as commands: the same seed gives the same bytes, in the order of time (`ltc simulate`)."""

from array import array
from collections.abc import Iterator
from datetime import date, timedelta
from heapq import heappop, heapreplace
from typing import Final

from ltc_events.kernel.errors import LtcError
from ltc_events.simulation import leads
from ltc_events.simulation.arrivals import Arrivals
from ltc_events.simulation.company import Company
from ltc_events.simulation.customer import Customer, customer_chance
from ltc_events.simulation.run import Run, StoryEnds, Summary
from ltc_events.simulation.working_time import DAY, seconds

ENDS_ON: Final = date(2026, 6, 30)
"""The last simulated day, unless another one is asked for."""
DAYS_MAX: Final = 3660
CUSTOMERS_MAX: Final = 10_000_000


class OutOfRange(LtcError):
    """a company cannot be simulated with {name} {given}"""

    remedy = "give {name} from {low} to {high}"


class Simulation(Iterator[bytes]):
    """Commands as JSON documents, in the order of time. `summary` grows while they are read.

    What a customer does follows from the seed, the days and the customer's own number alone: a simulation of more
    customers has the same commands for those that a smaller one has too. Memory goes by the customers that are busy
    at the same time, not by the number of commands.
    """

    def __init__(self, seed: int, customers: int, days: int, end: date = ENDS_ON) -> None:
        for name, given, high in (("customers", customers, CUSTOMERS_MAX), ("days", days, DAYS_MAX)):
            if not 1 <= given <= high:
                raise OutOfRange(name=name, given=given, low=1, high=high)
        starts_on = end - timedelta(days=days - 1)
        self.summary = Summary(seed, customers, starts_on, end)
        self._run = Run((str(seed), str(days), end.isoformat()), self.summary, seconds(end) + DAY - 1)
        self._arrivals = Arrivals(starts_on, days)
        self._documents = self._simulate(Company(self._run, customers, days, seconds(starts_on)), customers)

    def __next__(self) -> bytes:
        return next(self._documents)

    def _simulate(self, company: Company, customers: int) -> Iterator[bytes]:
        run = self._run
        company.begin()
        starts = array("q", (self._arrivals.draw(customer_chance(run, number)).at for number in range(customers)))
        newcomers = iter(sorted(range(customers), key=starts.__getitem__))
        newcomer = next(newcomers, None)
        agenda, outbox = run.agenda, run.outbox
        while agenda or newcomer is not None:
            if newcomer is not None and (not agenda or starts[newcomer] <= agenda[0][0]):
                run.advance(starts[newcomer])
                customer = Customer(run, newcomer, self._arrivals)
                self.summary.customers_active += starts[newcomer] <= run.last
                run.begin(leads.life(customer), run.now)
                newcomer = next(newcomers, None)
                continue
            at, turn, process = agenda[0]
            if at > run.last:
                return
            run.advance(at)
            try:
                wake = next(process)
            except (StopIteration, StoryEnds):
                heappop(agenda)  # whatever the process has begun comes after it, so that it is still the first
            else:
                heapreplace(agenda, (max(wake, at), turn, process))
            if outbox:
                yield from outbox
                outbox.clear()
