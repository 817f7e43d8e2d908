"""A login that is limited to customers, countries or regions sees these alone: in every view, in counts, whatever it asks."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo
from tests.company import found_company
from tests.conftest import TestServer
from tests.e2e.test_cli import Ltc

from ltc_events.projections.catalog.reader_limits import SeesAll, UnknownLogin, forget, limit, limits_of
from ltc_events.projections.catalog.views import show
from ltc_events.projections.declaration.errors import DependentsInTheWay
from ltc_events.projections.declaration.projection import build_of
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.payment_movements import PaymentMovements
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.store import Database, Role

TABLES = [one.table for one in PROJECTIONS if "customer_id" in one.columns]
COMPANYS = [one.table for one in PROJECTIONS if "customer_id" not in one.columns]
Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def ledger(server: TestServer) -> Iterator[Database]:
    """A company of its own: limits are set in it."""
    name = server.create()
    database = server.at(name)
    found_company(database, customers=30, days=500)
    Ltc(LTC_DATABASE_URL=database.conninfo)("projections", "catch-up")
    yield database
    server.drop(name)


@pytest.fixture
def login(ledger: Database) -> Iterator[str]:
    name = f"limited_{uuid4().hex[:8]}"
    with ledger.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        yield name
        forget(ledger, name)
        owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def as_login(ledger: Database, login: str) -> Connection:
    return psycopg.connect(make_conninfo(ledger.conninfo, user=login), autocommit=True)


def column(ledger: Database, query: str, *given: Any) -> list[Any]:
    with ledger.connect(Role.OWNER) as owner:
        return [one for (one,) in owner.execute(query, given)]  # type: ignore[arg-type]


def customers(ledger: Database, count: int) -> list[UUID]:
    """Those of whom there is most, so that no view is empty for want of anything to show."""
    query = (
        "SELECT customer_id FROM ltc_read.timeline WHERE customer_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT %s"
    )
    return column(ledger, query, count)


@pytest.mark.parametrize("table", TABLES)
def test_each_view_shows_the_rows_of_these_customers_and_no_other(table: str, ledger: Database, login: str) -> None:
    allowed = customers(ledger, 3)
    limit(ledger, login, customers=allowed, by="test", reason="test")
    rest = " - 'other_customer_id'"
    query = f"SELECT (to_jsonb(t){rest})::text FROM ltc_read.{table} t WHERE customer_id = ANY(%s) ORDER BY 1"
    expected = column(ledger, query, allowed)
    with as_login(ledger, login) as reader:
        found = [one for (one,) in reader.execute(f"SELECT (to_jsonb(t){rest})::text FROM ltc_limited.{table} t ORDER BY 1")]  # type: ignore[arg-type]
        assert found == expected
        assert reader.execute(f"SELECT count(*) FROM ltc_limited.{table}").fetchone() == (len(expected),)  # type: ignore[arg-type]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(f"SELECT count(*) FROM ltc_read.{table}")  # type: ignore[arg-type]


def test_the_views_have_something_to_hide(ledger: Database) -> None:
    """So that the test above can fail: most tables have rows of these customers and of others."""
    allowed = customers(ledger, 3)
    query = "SELECT count(*) FILTER (WHERE customer_id = ANY(%s)) > 0 AND count(*) FILTER (WHERE customer_id <> ALL(%s)) > 0"
    both = [one for one in TABLES if column(ledger, f"{query} FROM ltc_read.{one}", allowed, allowed) == [True]]
    assert len(both) >= 28, sorted(set(TABLES) - set(both))


def test_countries_and_regions(ledger: Database, login: str) -> None:
    query = "SELECT country, count(*) FROM ltc_read.customers WHERE country IS NOT NULL GROUP BY 1 LIMIT 1"
    ((country, count),) = _rows(ledger, query)
    limit(ledger, login, countries=[country], by="test", reason="test")
    with as_login(ledger, login) as reader:
        assert reader.execute("SELECT count(*), min(country), max(country) FROM ltc_limited.customers").fetchone() == (
            count, country, country,
        )  # fmt: skip
    (region, *_) = column(ledger, "SELECT region FROM ltc_read.customers WHERE region IS NOT NULL ORDER BY 1")
    expected = column(ledger, "SELECT customer_id FROM ltc_read.customers WHERE region = %s ORDER BY 1", region)
    assert limit(ledger, login, regions=[region, region], by="test", reason="test") == 1
    with as_login(ledger, login) as reader:
        assert [one for (one,) in reader.execute("SELECT customer_id FROM ltc_limited.customers ORDER BY 1")] == expected


def _rows(ledger: Database, query: str) -> list[Any]:
    with ledger.connect(Role.OWNER) as owner:
        return owner.execute(query).fetchall()  # type: ignore[arg-type]


def test_no_condition_of_the_readers_own_sees_another_row(ledger: Database, login: str) -> None:
    limit(ledger, login, customers=customers(ledger, 1), by="test", reason="test")
    with as_login(ledger, login) as reader:
        told: list[str] = []
        reader.add_notice_handler(lambda notice: told.append(notice.message_primary or ""))
        reader.execute(
            "CREATE FUNCTION pg_temp.spy(id uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS"
            " $$ BEGIN RAISE NOTICE '%', id; RETURN true; END $$"
        )
        reader.execute("SELECT count(*) FROM ltc_limited.invoices WHERE pg_temp.spy(customer_id)")
        assert set(told) == {str(one) for one in customers(ledger, 1)}
        for forbidden in (
            "SELECT FROM ltc.events", "SELECT FROM ltc.reader_limits", "SELECT FROM ltc_read.invoices",
            "SET ROLE ltc_reader", "SET SESSION AUTHORIZATION postgres", "INSERT INTO ltc.reader_limits VALUES ('x')",
            "CREATE VIEW ltc_limited.mine AS SELECT 1",
        ):  # fmt: skip
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(forbidden)  # type: ignore[arg-type]


def test_another_customer_is_named_to_nobody_who_may_not_see_it(ledger: Database, login: str) -> None:
    first, second = customers(ledger, 2)
    with ledger.connect(Role.OWNER) as owner:
        (original,) = owner.execute("SELECT pg_get_viewdef('ltc_limited.payment_movements'::regclass)").fetchone() or ("",)
    assert original.count("visible_customers") == 2
    with ledger.connect(Role.OWNER) as owner, owner.transaction(force_rollback=True):
        # Nobody moved money between customers in this company: as if somebody had.
        limit_of = "INSERT INTO ltc.reader_limits (login, customer_id, set_by, reason) SELECT session_user, %s, 't', 't'"
        owner.execute(limit_of, (first,))
        table = build_of(PaymentMovements).physical
        owner.execute(
            sql.SQL("UPDATE {} SET other_customer_id = %s WHERE customer_id = %s").format(sql.Identifier("ltc_read", table)),
            (second, first),
        )
        shown = "SELECT count(*), count(other_customer_id) FROM ltc_limited.payment_movements"
        rows, named = owner.execute(shown).fetchone() or (0, 0)
        assert rows
        assert not named
        owner.execute(limit_of, (second,))
        assert (owner.execute(shown).fetchone() or (0, 0))[1] == rows


def test_who_is_limited_to_nobody_sees_nothing(ledger: Database, login: str) -> None:
    limit(ledger, login, customers=customers(ledger, 1), by="test", reason="test")
    limit(ledger, login, customers=[uuid4()], by="test", reason="another one instead")
    with as_login(ledger, login) as reader:
        assert reader.execute("SELECT count(*) FROM ltc_limited.customers").fetchone() == (0,)
    forget(ledger, login)
    with as_login(ledger, login) as reader, pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute("SELECT count(*) FROM ltc_limited.customers")


def test_the_companys_own_tables_are_not_offered(ledger: Database) -> None:
    views = column(
        ledger, "SELECT relname::text FROM pg_class WHERE relnamespace = 'ltc_limited'::regnamespace AND relkind = 'v'"
    )
    assert set(views) == set(TABLES)
    assert not set(views) & set(COMPANYS)


def test_who_sees_everything_is_not_called_limited(ledger: Database, login: str) -> None:
    with ledger.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(sql.SQL("GRANT ltc_reader TO {}").format(sql.Identifier(login)))
        with pytest.raises(SeesAll, match="a member of ltc_reader"):
            limit(ledger, login, customers=[uuid4()], by="test", reason="test")
        owner.execute(sql.SQL("REVOKE ltc_reader FROM {}").format(sql.Identifier(login)))
        limit(ledger, login, customers=[uuid4()], by="test", reason="test")
        owner.execute(sql.SQL("GRANT ltc_reader TO {}").format(sql.Identifier(login)))
    (one,) = limits_of(ledger)
    assert one.sees_all == "a member of ltc_reader"
    with pytest.raises(UnknownLogin):
        limit(ledger, "nobody_of_that_name", customers=[uuid4()], by="test", reason="test")


def test_a_read_table_that_is_exchanged_takes_its_limited_view_along(ledger: Database, login: str) -> None:
    limit(ledger, login, customers=customers(ledger, 2), by="test", reason="test")
    with ledger.connect(Role.PROJECTOR) as projector:
        # As after a version that had a column more: it goes, and the view of limited readers with it.
        one_more = (
            f"CREATE OR REPLACE VIEW ltc_read.customers AS SELECT *, 1 AS gone FROM ltc_read.{build_of(Customers).physical}"
        )
        projector.execute(one_more)  # type: ignore[arg-type]
        show(projector, build_of(Customers))
    with as_login(ledger, login) as reader:
        assert reader.execute("SELECT count(*) FROM ltc_limited.customers").fetchone() == (2,)
    with ledger.connect(Role.PROJECTOR) as projector, projector.transaction(force_rollback=True):
        projector.execute(one_more)  # type: ignore[arg-type]
        projector.execute("CREATE VIEW ltc_read.of_theirs AS SELECT * FROM ltc_limited.customers")
        with pytest.raises(DependentsInTheWay, match="of_theirs"):
            show(projector, build_of(Customers))


def test_from_the_command_line(ledger: Database, login: str) -> None:
    ltc = Ltc(LTC_DATABASE_URL=ledger.conninfo)
    (customer,) = customers(ledger, 1)
    ltc("readers", "limit", login, exits=2)
    told = ltc.json("readers", "limit", login, "--customer", str(customer), "--country", "AT", "--reason", "audit")
    assert told == {"login": login, "limits": 2}
    listed = ltc.json("readers", "list")["limits"]
    assert {(one["country"], one["reason"], one["sees_all"]) for one in listed} == {("AT", "audit", None), (None, "audit", None)}
    assert login.encode() in ltc("readers", "list").stdout
    ltc("readers", "limit", login, "--country", "AT")
    assert [one["reason"] for one in ltc.json("readers", "list")["limits"]] == [""], "none was given, and none is invented"
    assert ltc.json("readers", "forget", login) == {"login": login, "forgotten": 1}


def test_doctor_names_what_this_login_may_not_see(ledger: Database, login: str) -> None:
    ltc = Ltc(LTC_DATABASE_URL=make_conninfo(ledger.conninfo, user=login))
    found = {one["name"]: one for one in ltc.json("doctor", exits=1)["checks"]}
    assert "none of the ledger's groups" in found["groups of this login"]["detail"]
    Ltc(LTC_DATABASE_URL=ledger.conninfo)("readers", "limit", login, "--country", "AT")
    checks = ltc.json("doctor")["checks"]
    found = {one["name"]: one for one in checks}
    unseen = {name for name, one in found.items() if one["detail"].startswith("not looked at: ")}
    assert unseen >= {"positions", "epoch", "append-only guards", "customers", "sizes of events", "read tables"}
    assert "permission denied for" in found["positions"]["detail"]
    assert found["database"]["detail"].startswith("PostgreSQL")
    assert "ltc_limited" in found["groups of this login"]["detail"]
    assert "grant" not in str(checks)


@pytest.mark.parametrize(
    "words", [("sql", "SELECT 1"), ("report", "dso"), ("find", "Acme"), ("events", "tail"), ("export", "journal")]
)
def test_nobody_is_told_to_lift_the_limit(ledger: Database, login: str, words: tuple[str, ...]) -> None:
    Ltc(LTC_DATABASE_URL=ledger.conninfo)("readers", "limit", login, "--country", "AT")
    ltc = Ltc(LTC_DATABASE_URL=make_conninfo(ledger.conninfo, user=login))
    told = ltc(*words, exits=1).stderr.decode()
    assert "limited_reader_denied" in told
    assert "schema ltc_limited" in told
    assert "grant" not in told
