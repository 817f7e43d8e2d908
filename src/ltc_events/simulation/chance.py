"""Chance that repeats itself: the same path of names draws the same numbers on every machine and Python version.

Numbers are cut from keyed BLAKE2b hashes of a counter. `random.Random` would do too, but keeps 2,500 bytes of state, and
there is one chance for each customer.
"""

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")
_WIDTH = 32
"""Bits of a draw: far more than any bound asks for."""
_MASK = (1 << _WIDTH) - 1
_DRAWS = 512 // _WIDTH
"""How many draws are in one hash."""


class Weighted(Generic[T]):
    """Options with whole-number weights."""

    __slots__ = ("_bounds", "_options", "total")

    def __init__(self, *options: tuple[T, int]) -> None:
        self._options = tuple(option for option, _ in options)
        self._bounds = tuple(accumulate(weight for _, weight in options))
        self.total = self._bounds[-1]

    def items(self) -> list[tuple[T, int]]:
        """The options with their weights."""
        starts = (0, *self._bounds)
        return [(option, end - start) for option, start, end in zip(self._options, starts, self._bounds, strict=False)]

    def at(self, point: int) -> T:
        """The option that covers `point`, which is at least 0 and below `total`."""
        return self._options[bisect_right(self._bounds, point)]


class Chance:
    """Draws for one customer, or for the company. Every draw is a whole number, so that no amount ever meets a float."""

    __slots__ = ("_bits", "_blocks", "_key", "_left")

    def __init__(self, *path: str) -> None:
        self._key = blake2b("\x1f".join(path).encode(), digest_size=16).digest()
        self._blocks = 0
        self._bits = 0
        self._left = 0

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` - 1."""
        if not self._left:
            self._blocks += 1
            self._bits = int.from_bytes(blake2b(self._blocks.to_bytes(8), key=self._key).digest())
            self._left = _DRAWS
        self._left -= 1
        bits = self._bits
        self._bits = bits >> _WIDTH
        return (bits & _MASK) * bound >> _WIDTH

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both possible."""
        return low + self.below(high - low + 1)

    def percent(self, share: int) -> bool:
        """True in `share` of 100 cases."""
        return self.below(100) < share

    def permille(self, share: int) -> bool:
        """True in `share` of 1,000 cases."""
        return self.below(1000) < share

    def pick(self, options: Sequence[T]) -> T:
        """One of the options, each as likely as the others."""
        return options[self.below(len(options))]

    def choose(self, options: Weighted[T]) -> T:
        """One of the options by their weights."""
        return options.at(self.below(options.total))

    def several(self, options: Sequence[T], count: int) -> list[T]:
        """`count` different options, in their own order."""
        chosen: list[T] = []
        missing, left = min(count, len(options)), len(options)
        for option in options:
            if self.below(left) < missing:
                chosen.append(option)
                missing -= 1
            left -= 1
        return chosen
