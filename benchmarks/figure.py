"""What a benchmark comes out with: our figure, the peer's (or the limit), and whether the target is reached."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be reached: bounds of our own figure, and of the ratio of ours to theirs. None: any will do."""

    ours_min: float | None = None
    ours_max: float | None = None
    ratio_min: float | None = None
    ratio_max: float | None = None

    def text(self, unit: str) -> str:
        """`≥ 15,000 commands/s and ≥ 20 ×`."""
        bounds = (
            ("≥", self.ours_min, f" {unit}"),
            ("≤", self.ours_max, f" {unit}"),
            ("≥", self.ratio_min, " ×"),
            ("≤", self.ratio_max, " ×"),
        )
        return " and ".join(f"{sign} {bound:,g}{what}" for sign, bound, what in bounds if bound is not None)

    def reached(self, ours: float, ratio: float) -> bool:
        """Whether every bound holds."""
        held: tuple[tuple[float | None, Callable[[float], bool]], ...] = (
            (self.ours_min, lambda bound: ours >= bound),
            (self.ours_max, lambda bound: ours <= bound),
            (self.ratio_min, lambda bound: ratio >= bound),
            (self.ratio_max, lambda bound: ratio <= bound),
        )
        return all(holds(bound) for bound, holds in held if bound is not None)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the answer. `ratio` is ours ÷ theirs; a figure that was not measured has None for what it lacks.

    `is_detail` figures are in the JSON alone: the table shows the one that sums them up.
    """

    name: str
    unit: str
    ours: float | None
    peer: str
    theirs: float | None
    target: str = ""
    ratio: float | None = None
    reached: bool | None = None
    is_detail: bool = field(default=False, kw_only=True)

    def document(self) -> dict[str, Any]:
        """The figure as JSON has it."""
        values = asdict(self)
        names = ("name", "unit", "ours", "peer", "theirs", "ratio", "target", "reached")
        return {name: _rounded(values[name]) for name in names}


def against_peer(
    name: str, unit: str, ours: float, peer: str, theirs: float, target: Target | None = None, *, is_detail: bool = False
) -> Figure:
    """Ours beside a peer's figure; without a target it is for information."""
    ratio = ours / theirs
    text, reached = (target.text(unit), target.reached(ours, ratio)) if target else ("", None)
    return Figure(name, unit, ours, peer, theirs, text, ratio, reached, is_detail=is_detail)


def within(name: str, unit: str, ours: float, limit: float, *, is_detail: bool = False) -> Figure:
    """Ours beside the limit that it must keep."""
    return against_peer(name, unit, ours, "limit", limit, Target(ours_max=limit), is_detail=is_detail)


def not_run(name: str, unit: str, why: str) -> Figure:
    """A figure that could not be measured here, and why."""
    return Figure(name, unit, None, f"not run: {why}", None)


def _rounded(value: object) -> object:
    """Four digits say all that a measurement of this kind can."""
    return float(f"{value:.4g}") if isinstance(value, float) else value
