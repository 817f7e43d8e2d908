"""What workers said in a run, as the series that Prometheus would have scraped. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from math import nan

from tests.e2e.faults.statements import Said

GONE_S = 2.0
"""Whose port does not answer any more until the end was taken off the list of targets."""


def scraped(said: Sequence[Said], began: float, seconds: int) -> dict[str, list[float | None]]:
    """By series a value for each second from `began` on: what was said last in that second.

    A worker that does not answer is `up` with 0. What is not told any more is stale (NaN) from then on. A clock, which no run
    has, is always there.
    """
    series: dict[str, list[float | None]] = defaultdict(lambda: [None] * (seconds + 1))
    series['up{job="ltc",service="clock"}'] = [1.0] * (seconds + 1)
    last = {one.worker: one.asked for one in said if one.health is not None}
    for one in said:
        at = int(one.asked - began)
        if not 0 <= at <= seconds or one.asked > last.get(one.worker, 0.0) + GONE_S:
            continue
        for name, values in series.items():
            if f'instance="{one.worker}"' in name:
                values[at] = nan
        place = f'job="ltc",service="{one.kind}",instance="{one.worker}"'
        series[f"up{{{place}}}"][at] = float(one.health is not None)
        for (name, labels), value in one.metrics.items():
            told = ",".join([place, *(f'{label}="{text}"' for label, text in labels)])
            series[f"{name}{{{told}}}"][at] = value
    return dict(series)
