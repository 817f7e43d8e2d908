"""The ledger of millions of events that benchmarks load: histories that were not decided are as good as if they were."""

from benchmarks.loading import load
from tests.broker import until

from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role


def test_companies_that_live_the_same_year_have_whole_histories_of_their_own(database: Database) -> None:
    events = load(database, 2_500, customers=3, side_by_side=2)
    with database.connect(Role.OWNER, autocommit=True) as owner:

        def lag() -> list[tuple[object, ...]]:
            """The tables that are not at the end, and what is told of each: one that waits for the machine goes on later."""
            return owner.execute(
                "SELECT c.projection, c.position, f.error FROM ltc_read.checkpoints c"
                " LEFT JOIN ltc_read.projection_failures f USING (projection, version, source, partition)"
                " WHERE c.position <> %s OR NOT f.waits",
                (events,),
            ).fetchall()

        with open_runner(database, PROJECTIONS) as runner:
            until(lambda: not lag(), runner.catch_up)
        assert lag() == []

        def one(query: str) -> tuple[object, ...]:
            return owner.execute(query.encode()).fetchone() or ()

        gaps = "SELECT stream_id FROM ltc.events GROUP BY 1 HAVING min(version) <> 1 OR max(version) <> count(*)"
        assert owner.execute(gaps.encode()).fetchall() == []
        companies, customers = one("SELECT count(*) / 3, count(*) FROM ltc_read.customers")
        assert isinstance(companies, int)
        assert (companies >= 3, customers) == (True, companies * 3)
        for table in ("leads", "quotes", "orders", "invoices", "payments"):
            total, different = one(f"SELECT count(*), count(DISTINCT {table[:-1]}_id) FROM ltc_read.{table}")
            assert (total, isinstance(total, int) and total % companies) == (different, 0), table
        assert one("SELECT count(*) - count(DISTINCT number) FROM ltc_read.invoices") == (0,)
        assert one("SELECT count(*) FROM ltc.outcomes WHERE first_position > last_position AND status = 'accepted'") == (0,)
