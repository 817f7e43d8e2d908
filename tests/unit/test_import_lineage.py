"""Whatever is worked out of a cell that cannot be read is refused with it, however the SQL gets there."""

from collections.abc import Iterator

import pytest
from tests.unit.import_queries import Bench, bench

ORDERS = [("1", "north", "5.00"), ("2", "south", "ten"), ("3", "north", "7.00")]
ITEMS = [("1", "a", "1.00"), ("1", "b", "x"), ("2", "a", "2.00"), ("3", "c", "3.00")]
AMOUNT = "ltc_amount(amount, '1234.56')"
PRICE = "ltc_amount(price, '1234.56')"
BAD_ITEM, BAD_ORDER = (4, "price", "x", "not_a_number"), (1, "amount", "ten", "not_a_number")


@pytest.fixture(scope="module")
def sql() -> Iterator[Bench]:
    with bench() as made:
        made.table("orders", "id region amount", *ORDERS)
        made.table("items", "order_id sku price", *ITEMS)
        yield made


def refused(sql: Bench, query: str) -> dict[object, list[tuple[object, ...]]]:
    """The refusals of each row, by its first column."""
    return {row[0]: row[-1] for row in sql.rows(query) if row[-1]}


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT id, {AMOUNT} AS a FROM orders",
        f"WITH read AS (SELECT *, {AMOUNT} AS a FROM orders) SELECT id, a FROM read",
        f"SELECT id, a FROM (SELECT *, {AMOUNT} AS a FROM orders) AS read",
        f"SELECT id, coalesce({AMOUNT}, 0) AS a FROM orders",
        f"SELECT id, a FROM (SELECT id, coalesce({AMOUNT}, 0) AS a FROM orders) WHERE a > 1",
        f"SELECT id FROM (SELECT id, region, {AMOUNT} AS a FROM orders) WHERE a > 1",
        f"SELECT id FROM orders WHERE {AMOUNT} > 1",
        f"SELECT id, CASE WHEN region = 'south' THEN {AMOUNT} END AS a FROM orders",
        f"SELECT DISTINCT id, {AMOUNT} AS a FROM orders",
        f"SELECT id, {AMOUNT} AS a FROM orders UNION ALL SELECT '9', 1.0",
        f"SELECT id, max({AMOUNT}) AS a FROM orders GROUP BY id",
        f"SELECT id, max({AMOUNT}) AS a FROM orders GROUP BY ALL HAVING max({AMOUNT}) > 1",
        f"SELECT id, sum({AMOUNT}) OVER (PARTITION BY id) AS a FROM orders",
        f"SELECT id FROM orders QUALIFY {AMOUNT} > 1 AND row_number() OVER (PARTITION BY id ORDER BY _row) = 1",
        f"SELECT o.id, (SELECT max({AMOUNT}) FROM orders AS i WHERE i.id = o.id) AS a FROM orders AS o",
        f"SELECT o.id FROM orders AS o JOIN (SELECT id, {AMOUNT} AS a FROM orders) AS r ON r.id = o.id AND o.id <> '0'",
    ],
)
def test_a_cell_that_cannot_be_read_refuses_its_row_alone(sql: Bench, query: str) -> None:
    assert refused(sql, query) == {"2": [BAD_ORDER] * len(refused(sql, query)["2"])}


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT id, p FROM orders JOIN (SELECT order_id, list({PRICE}) AS p FROM items GROUP BY order_id) ON id = order_id",
        f"SELECT id, sum({PRICE}) AS total FROM orders JOIN items ON id = order_id GROUP BY id",
        f"SELECT id, (SELECT sum({PRICE}) FROM items WHERE order_id = id) AS total FROM orders",
        f"SELECT id, (SELECT sum(p) FROM (SELECT order_id, {PRICE} AS p FROM items) WHERE order_id = id) AS total FROM orders",
        f"WITH i AS (SELECT order_id, {PRICE} AS p FROM items) SELECT id, (SELECT sum(p) FROM i WHERE order_id = id) FROM orders",
    ],
)
def test_a_line_that_cannot_be_read_refuses_its_order_and_no_other(sql: Bench, query: str) -> None:
    assert refused(sql, query) == {"1": [BAD_ITEM]}


def test_a_sum_over_a_window_is_worth_no_more_than_each_of_its_rows(sql: Bench) -> None:
    query = f"SELECT sku, sum(p) OVER (PARTITION BY order_id) AS s FROM (SELECT *, {PRICE} AS p FROM items)"
    assert {row[0] for row in sql.rows(query) if row[-1]} == {"a", "b"}
    numbered = f"SELECT sku, row_number() OVER (PARTITION BY order_id ORDER BY _row) AS n, {PRICE} AS p FROM items"
    assert {row[0] for row in sql.rows(numbered) if row[-1]} == {"b"}, "a place among rows is not worked out of their cells"


@pytest.mark.parametrize(
    "query",
    [
        f"SELECT id, CASE WHEN region = 'north' THEN {AMOUNT} END AS a FROM orders",
        f"SELECT id, coalesce(region, CAST({AMOUNT} AS VARCHAR)) AS a FROM orders",
        f"SELECT id FROM (SELECT id, region, {AMOUNT} AS a FROM orders) WHERE region = 'north'",
        f"SELECT id, {AMOUNT} AS a FROM orders WHERE region = 'north'",
        "SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM items WHERE order_id = id)",
    ],
)
def test_what_is_not_worked_out_of_it_is_not_refused(sql: Bench, query: str) -> None:
    assert refused(sql, query) == {}


def test_rows_know_where_they_come_from(sql: Bench) -> None:
    assert [row[1] for row in sql.rows("SELECT id FROM orders ORDER BY id")] == [0, 1, 2]
    assert [row[1] for row in sql.rows("SELECT sku FROM items JOIN orders ON id = order_id ORDER BY order_id, sku")] == [
        3,
        4,
        5,
        6,
    ]
    assert sorted(row[2] for row in sql.rows("SELECT order_id, count(*) AS n FROM items GROUP BY order_id")) == [3, 5, 6]
    assert len(sql.rows("SELECT DISTINCT region FROM orders")) == 2


def test_a_star_stands_for_the_columns_of_the_file(sql: Bench) -> None:
    assert len(sql.rows("SELECT * FROM orders")[0]) == 3 + 2
    assert len(sql.rows("SELECT o.*, i.sku FROM orders AS o JOIN (SELECT * FROM items) AS i ON o.id = i.order_id")[0]) == 4 + 2


@pytest.mark.parametrize(
    ("query", "left_out"),
    [
        ("SELECT id FROM orders JOIN items ON id = order_id AND sku = 'b'", [1, 2]),
        ("SELECT id FROM orders JOIN (SELECT * FROM items WHERE sku = 'c') AS i ON id = i.order_id", [0, 1]),
        ("WITH i AS (SELECT order_id AS id FROM items WHERE sku = 'a') SELECT id FROM orders JOIN i USING (id)", [2]),
        (
            "SELECT id, count(*) AS n FROM orders JOIN items ON id = order_id AND sku = 'b' GROUP BY id HAVING count(*) > 5",
            [1, 2],
        ),
        ("SELECT id FROM orders JOIN items ON id = order_id AND sku = 'b' WHERE region = 'south'", [1]),
        ("SELECT id FROM orders JOIN items ON id = order_id AND sku = 'b' WHERE items.price = '9'", [1, 2]),
        (f"SELECT id FROM orders JOIN items ON id = order_id AND sku = 'b' WHERE {AMOUNT} > 1", [1, 2]),
        ("SELECT id FROM orders LEFT JOIN items ON id = order_id AND sku = 'b'", []),
        ("SELECT id FROM orders SEMI JOIN items ON id = order_id AND sku = 'b'", []),
        ("SELECT id FROM orders WHERE region = 'south'", []),
        ("SELECT id FROM orders JOIN items ON id = order_id", []),
    ],
)
def test_rows_that_a_join_finds_nothing_for_are_known(sql: Bench, query: str, left_out: list[int]) -> None:
    assert sql.unmatched(query) == left_out


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("SELECT id FROM orders UNION SELECT sku FROM items", "UNION compares rows"),
        ("SELECT id FROM orders EXCEPT SELECT sku FROM items", "EXCEPT compares rows"),
        ("WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT n FROM r", "RECURSIVE"),
        ("SELECT list_transform([amount], lambda x: ltc_amount(x, '1234.56')) AS a FROM orders", "within a lambda"),
        ("WITH r AS (SELECT *, upper(amount) AS Amount FROM orders) SELECT id, amount FROM r", "column amount stands twice"),
        ("SELECT id FROM (SELECT o.*, 'x' AS region FROM orders AS o)", "column region stands twice"),
        ("SELECT a.id FROM orders AS a NATURAL JOIN orders AS b", "NATURAL"),
    ],
)
def test_what_cannot_be_followed_is_a_mistake(sql: Bench, query: str, problem: str) -> None:
    (mistake,) = sql.mistakes_of(query)
    assert problem in mistake.problem
    assert mistake.fix


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", "out of reach"),
        ("SELECT * FROM read_text('/etc/passwd')", "out of reach"),
        ("SELECT * FROM glob('/*')", "out of reach"),
        ("SELECT * FROM '/etc/passwd'", "there is no table"),
        ("SELECT * FROM duckdb_settings()", "out of reach"),
        ("SELECT * FROM query('SELECT 1')", "out of reach"),
        ("SELECT * FROM ltc.commands", "there is no table"),
        ("SELECT * FROM information_schema.tables", "there is no table"),
        ("ATTACH '/tmp/x.db'", "not a SELECT"),
        ("COPY (SELECT 1) TO '/tmp/x'", "not a SELECT"),
        ("INSTALL excel", "not a SELECT"),
        ("SET threads = 3", "not a SELECT"),
        ("PRAGMA database_list", "not a SELECT"),
        ("DROP TABLE raw.orders", "not a SELECT"),
        ("SELECT 1 AS a; SELECT 2 AS b", "2 statements"),
        ("SELECT TRY_CAST(amount AS DATE) AS a FROM orders", "TRY_CAST"),
        ("SELECT try_strptime(amount, '%Y') AS a FROM orders", "try_strptime"),
        ("SELECT amount::DOUBLE AS a FROM orders", "DOUBLE rounds"),
        ("SELECT 1 / 3 AS a", "/ makes numbers"),
        ("SELECT avg(1) AS a", "avg makes numbers"),
        ("SELECT sqrt(2) AS a", "sqrt makes numbers"),
        ("SELECT now() AS a", "something else each time"),
        ("SELECT random() AS a", "random"),
        ("SELECT id, nam FROM orders", '"nam" not found'),
        ("SELECT id FROM order", "syntax error"),
        ("SELECT id FROM ordrs", "there is no table ordrs"),
    ],
)
def test_what_a_mapping_may_not_do_is_a_mistake_with_a_way_out(sql: Bench, query: str, problem: str) -> None:
    mistakes = sql.mistakes_of(query)
    assert problem in mistakes[0].problem
    assert mistakes[0].fix


def test_even_past_the_checks_nothing_is_within_reach(sql: Bench) -> None:
    """The checks speak to people; the engine itself is shut in."""
    from ltc_events.importing.engine import QueryFailed

    for statement in (
        "SELECT * FROM read_text('/etc/passwd')",
        "COPY (SELECT 1) TO '/tmp/ltc-never.csv'",
        "ATTACH '/tmp/ltc-never.db'",
        "INSTALL excel",
        "LOAD excel",
        "SET memory_limit = '9GB'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(QueryFailed):
            sql.engine.run(statement)
