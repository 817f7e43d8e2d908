"""When customers turn up, and through which channel: by season, weekday and campaign."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import Final

from ltc_events.simulation.chance import Chance
from ltc_events.simulation.channels import PROGRAMMES, SOURCES, Source
from ltc_events.simulation.working_time import DAY, HOUR, MINUTE, at_work, seconds

_MONTHS: Final = (85, 95, 115, 100, 95, 105, 75, 60, 115, 120, 110, 65)
"""How busy the months are, January first: summer and the turn of the year are quiet."""
_WEEKDAYS: Final = (20, 22, 21, 19, 14, 3, 2)
_OPENING_DAYS_IN_HUNDRED: Final = 8
_OPENING_FACTOR: Final = 8
"""At first the sellers bring the customers whom they know: so many times as many arrive in the first days."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a customer's first lead comes: by what, when (in seconds), and from which of the channel's campaigns."""

    source: Source
    at: int
    campaign: int | None


class Arrivals:
    """The pattern of arrivals over the simulated days."""

    def __init__(self, starts_on: date, days: int) -> None:
        self._first = seconds(starts_on)
        self._days = days
        opening = days * _OPENING_DAYS_IN_HUNDRED // 100
        weights = []
        for number in range(days):
            day = starts_on + timedelta(days=number)
            weight = _MONTHS[day.month - 1] * _WEEKDAYS[day.weekday()]
            weights.append(weight * _OPENING_FACTOR if number < opening else weight)
        self._bounds = list(accumulate(weights))
        self._windows = {channel: programme.windows(days) for channel, programme in PROGRAMMES.items()}

    def draw(self, chance: Chance) -> Arrival:
        """One arrival."""
        source = chance.choose(SOURCES)
        programme = PROGRAMMES.get(source.channel)
        windows = self._windows.get(source.channel, [])
        if programme is not None and programme.event and windows:
            campaign: int | None = chance.below(len(windows))
            day = chance.pick(windows[campaign or 0])
        else:
            day = bisect_right(self._bounds, chance.below(self._bounds[-1]))
            campaign = self._campaign(source, day)
        at = self._first + day * DAY + self._second(chance, source)
        return Arrival(source, at if source.online else at_work(at), campaign)

    def again(self, chance: Chance, at: int) -> Arrival:
        """The arrival of somebody who comes again at a second."""
        source = chance.choose(SOURCES)
        return Arrival(source, at, self._campaign(source, (at - self._first) // DAY))

    def _campaign(self, source: Source, day: int) -> int | None:
        windows = self._windows.get(source.channel, [])
        return next((number for number, window in enumerate(windows) if day in window), None)

    def _second(self, chance: Chance, source: Source) -> int:
        if source.online:
            return chance.between(6 * HOUR, 22 * HOUR)
        # Not before the campaigns of the day have been launched.
        return chance.between(9 * HOUR, 17 * HOUR + 30 * MINUTE)
