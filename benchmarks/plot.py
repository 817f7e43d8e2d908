"""A small plot, drawn by hand: a cost by size of the store, sizes on a logarithmic scale."""

from collections.abc import Iterator, Sequence
from math import ceil, floor, log10

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 20, 30, 50


def plot(points: Sequence[tuple[int, float]]) -> str:
    """An SVG of (events, µs of processor time an event)."""
    return "\n".join(_draw(points)) + "\n"


def _draw(points: Sequence[tuple[int, float]]) -> Iterator[str]:
    low = floor(log10(min((events for events, _ in points), default=1)))
    high = max(ceil(log10(max((events for events, _ in points), default=10)) - 0.05), low + 1)
    top = max(10 * ceil(max((cost for _, cost in points), default=10) * 1.25 / 10), 10)

    def x(events: float) -> float:
        return _LEFT + (log10(events) - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT)

    def y(cost: float) -> float:
        return _HEIGHT - _BOTTOM - cost / top * (_HEIGHT - _TOP - _BOTTOM)

    yield f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">'
    yield f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    yield f'<text x="{_LEFT}" y="18">CPU µs an event, all read tables rebuilt, Python and PostgreSQL together</text>'
    for step in range(6):
        cost = top * step / 5
        yield f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y(cost):.1f}" y2="{y(cost):.1f}" stroke="#ddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y(cost) + 4:.1f}" text-anchor="end">{cost:g}</text>'
    for power in range(low, high + 1):
        yield f'<text x="{x(10**power):.1f}" y="{_HEIGHT - _BOTTOM + 20}" text-anchor="middle">{10**power:,}</text>'
    yield f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 10}" text-anchor="middle">events in the store</text>'
    line = " ".join(f"{x(events):.1f},{y(cost):.1f}" for events, cost in points)
    yield f'<polyline points="{line}" fill="none" stroke="#1f6feb" stroke-width="2"/>'
    for events, cost in points:
        yield f'<circle cx="{x(events):.1f}" cy="{y(cost):.1f}" r="4" fill="#1f6feb"/>'
        yield f'<text x="{x(events):.1f}" y="{y(cost) - 10:.1f}" text-anchor="middle">{cost:.0f}</text>'
    yield "</svg>"
