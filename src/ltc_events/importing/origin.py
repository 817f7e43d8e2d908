"""A command on its way to the ledger, and where it comes from."""

from typing import NamedTuple

from ltc_events.importing.comparison import Alternatives, Compared
from ltc_events.importing.documents import Document
from ltc_events.schemas.base import WIRE_PREFIX


class Origin(NamedTuple):
    """Where a command comes from. Commands with the same `group` go together; `row` is their row's place in the import.

    One that is `compared` is held against the ledger before it is sent; what then changes something is a `change`.
    """

    file: str
    line: int
    document: Document
    row: int | None = None
    group: int | None = None
    compared: Compared | None = None
    change: Alternatives | None = None

    @property
    def type(self) -> str:
        """The command's type, with its version."""
        type: str = self.document["type"].removeprefix(WIRE_PREFIX)
        return type

    def is_behind(self, stopped: "Origin | None") -> bool:
        """Whether it is of a row that ends with the command `stopped`, which was refused."""
        return stopped is not None and stopped.group is not None and self.group == stopped.group
