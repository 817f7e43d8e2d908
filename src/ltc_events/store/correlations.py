"""What belongs together by its correlation, such as the events of one run of an import. No index has them: these read the log."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ltc_events.schemas.record import Record
from ltc_events.schemas.upcasting import stored_as
from ltc_events.store.queries import query
from ltc_events.store.reading import EVENT_COLUMNS, to_records

_STREAMS = query("correlated_streams").as_bytes()
_EVENTS = query("correlated_events", event_columns=EVENT_COLUMNS).as_bytes()


class Correlations(ABC):
    """The part of the event store that finds by correlation."""

    @abstractmethod
    def _query(self, statement: bytes, **params: Any) -> list[tuple[Any, ...]]: ...

    def correlated_streams(self, mark: bytes, types: Sequence[str]) -> list[UUID]:
        """Streams with events of these types whose correlation ends with the eight bytes `mark`, oldest first."""
        return [id for (id,) in self._query(_STREAMS, mark=mark, types=stored_as(types))]

    def correlated(self, id: UUID, *, after: int = 0) -> list[Record]:
        """The events of this correlation after the position `after`, in order."""
        return to_records(self._query(_EVENTS, id=id, after=after))
