"""A store that has gone back: what the restore of an older backup of the ledger comes to, for those that did not go back."""

from ltc_events.store import Database, Role

_TABLES = ("events", "outcomes", "traces")


def go_back(database: Database, position: int, offsets: dict[tuple[str, int], int] | None = None) -> None:
    """Let the ledger be what it was when its head was at `position`, and its offsets were these; read tables stay as they are."""
    with database.connect(Role.OWNER) as owner:
        owner.execute("SET LOCAL session_replication_role = replica")
        for table in _TABLES:
            owner.execute(f"ALTER TABLE ltc.{table} DISABLE TRIGGER append_only")  # type: ignore[arg-type]
        # What a command that made no event came to is taken away with those beside it.
        owner.execute(
            "DELETE FROM ltc.outcomes WHERE last_position > %(position)s OR first_position = 0 AND recorded_at >"
            " coalesce((SELECT recorded_at FROM ltc.events WHERE position = %(position)s), '-infinity')",
            {"position": position},
        )
        owner.execute("DELETE FROM ltc.traces WHERE last_position > %s", (position,))
        owner.execute("DELETE FROM ltc.events WHERE position > %s", (position,))
        owner.execute(
            "UPDATE ltc.head SET position = %(position)s, recorded_at ="
            " coalesce((SELECT recorded_at FROM ltc.events WHERE position = %(position)s), recorded_at)",
            {"position": position},
        )
        if offsets is not None:
            owner.execute("DELETE FROM ltc.offsets")
            for (feed, partition), offset in offsets.items():
                owner.execute("INSERT INTO ltc.offsets VALUES (%s, %s, %s)", (feed, partition, offset))
        for table in _TABLES:
            owner.execute(f"ALTER TABLE ltc.{table} ENABLE ALWAYS TRIGGER append_only")  # type: ignore[arg-type]
