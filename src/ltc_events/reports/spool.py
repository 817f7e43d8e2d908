"""A list of JSON values that may be long: the first ones in memory, the others in an anonymous temporary file."""

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self

import orjson

KEPT_BYTES_MAX = 4_000_000


class Spool:
    """First values are added, then they are read any number of times."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(KEPT_BYTES_MAX, prefix="ltc-")  # noqa: SIM115 - closed by __exit__
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._count

    def add(self, value: Any) -> None:
        """Add a value."""
        self._file.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
        self._count += 1

    def __iter__(self) -> Iterator[Any]:
        self._file.seek(0)
        return map(orjson.loads, self._file)
