"""What read tables leave out: skipped events, parked customers, and the number of parked events of each."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from ltc_events.projections.catalog.skipped_events import NOTHING, Skipped, all_skipped, waiting
from ltc_events.projections.declaration.builds import Build
from ltc_events.projections.declaration.names import Connection
from ltc_events.projections.declaration.projection import Projection


class Omissions:
    """The skipped and parked events of tables, queried once."""

    def __init__(self, connection: Connection, builds: Iterable[Build], projections: Iterable[type[Projection]]) -> None:
        """`projections`: those of this program."""
        self._known = {(one.table, one.version): one for one in projections}
        self._found: dict[Build, tuple[Skipped, dict[UUID, int]]] = {}
        lacking = all_skipped(connection)
        for build in set(builds):
            lacks, projection = lacking.get(build, NOTHING), self._known.get((build.name, build.version))
            counts = waiting(connection, build, projection.types) if projection and lacks.parked else {}
            self._found[build] = lacks, counts

    def document(self, build: Build) -> dict[str, Any]:
        """The failure policy, the number of skipped events, and parked customers with their first position and event count.

        Policy and numbers are null where the table belongs to another program's version.
        """
        lacks, counts = self._found[build]
        projection = self._known.get((build.name, build.version))
        parked = [{"held": held, "since": position, "waiting": counts.get(held)} for held, position in lacks.parked.items()]
        return {"on_failure": projection and projection.on_failure, "skipped": len(lacks.skipped), "parked": parked}

    def description(self, build: Build) -> str:
        """The failure policy and its effects so far, in words."""
        lacks, counts = self._found[build]
        projection = self._known.get((build.name, build.version))
        policy = projection.on_failure if projection else "?"
        return policy if lacks.is_nothing else f"{policy}: {lacks}, {sum(counts.values())} events wait"

    def advice(self) -> list[str]:
        """The commands to run next."""
        lines = []
        for build, (lacks, _) in sorted(self._found.items()):
            why = f"{build.name}: see `ltc projections letters {build.name}`; once it is mended,"
            if lacks.parked:
                lines.append(f"{why} `ltc projections retry {build.name} --build {build}`")
            if lacks.skipped:
                lines.append(f"{why} `ltc projections rebuild {build.name} --anew`")
        return lines
