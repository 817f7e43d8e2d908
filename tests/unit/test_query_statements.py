"""Statements as text: where they end, what they name, and how they look at an earlier state."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ltc_events.querying.completion import completions
from ltc_events.querying.errors import OnlyQueries
from ltc_events.querying.statement import code_of, is_amid_comment, names_in, require_query, seen_through, split

TABLES = ("journal", "invoices", "timeline")


@pytest.mark.parametrize(
    ("text", "statements", "rest"),
    [
        ("select 1; select 2", ["select 1"], " select 2"),
        ("select ';' ; select \"a;b\";", ["select ';'", 'select "a;b"'], ""),
        ("select 'it''s; one';", ["select 'it''s; one'"], ""),
        ("select E'a\\'; b';", ["select E'a\\'; b'"], ""),
        ("select $x$ ; $$ ; $x$ ; -- last ; one\n", ["select $x$ ; $$ ; $x$"], " -- last ; one\n"),
        ("/* ; */ select 1;", ["/* ; */ select 1"], ""),
        (";; -- nothing\n;", [], ""),
        ("select 'open ; ", [], "select 'open ; "),
    ],
)
def test_a_semicolon_ends_a_statement_where_it_is_one(text: str, statements: list[str], rest: str) -> None:
    assert split(text) == (statements, rest)


@given(st.text(alphabet="ab';\"-/*$\\\n e"))
def test_nothing_is_lost_in_splitting(text: str) -> None:
    statements, rest = split(text)
    assert len(code_of(text)) == len(text)
    assert all(one in text for one in statements)
    assert text.endswith(rest)


@pytest.mark.parametrize(
    "text", ["select 1", " (SELECT 1)", "-- why\nwith x as (select 1) table x", "values (1)", "explain select 1"]
)
def test_queries_are_taken(text: str) -> None:
    require_query(text)


@pytest.mark.parametrize(
    "text", ["delete from journal", "set role postgres", "/* select */ drop table x", "commit", "copy x to program 'id'", ""]
)
def test_whatever_else_is_refused(text: str) -> None:
    with pytest.raises(OnlyQueries):
        require_query(text)


def test_tables_are_named_in_code_and_without_a_schema() -> None:
    text = "select 'timeline', invoices.x from Journal j, ltc_read.timeline -- invoices"
    assert names_in(text, TABLES) == ["journal", "invoices"]
    assert names_in("select journal_id, myjournal from x", TABLES) == []


VIEW = {"journal": "SELECT * FROM old"}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("select * from journal", " WITH journal AS NOT MATERIALIZED (SELECT * FROM old)\nselect * from journal"),
        (
            "with a as (table journal) table a",
            " with journal AS NOT MATERIALIZED (SELECT * FROM old), a as (table journal) table a",
        ),
        (
            "WITH RECURSIVE a AS (select 1) table a",
            " WITH RECURSIVE journal AS NOT MATERIALIZED (SELECT * FROM old), a AS (select 1) table a",
        ),
        (
            "explain (analyze, buffers) select 1 from journal",
            "explain (analyze, buffers) WITH journal AS NOT MATERIALIZED (SELECT * FROM old)\n select 1 from journal",
        ),
        ("with journal as (select 1) table journal", "with journal as (select 1) table journal"),
    ],
)
def test_an_earlier_state_stands_in_place_of_the_table(text: str, seen: str) -> None:
    assert seen_through(text, VIEW) == seen
    assert seen_through(text, {}) == text


def test_comments_that_go_on() -> None:
    assert is_amid_comment("/* why ")
    assert not is_amid_comment("/* why */ ")
    assert not is_amid_comment("-- /* why")


def test_words_go_on_as_tables_columns_and_keywords() -> None:
    assert completions("jour", "select * from jour") == ["journal"]
    assert "account" in completions("acc", "select acc from journal")
    assert completions("j.acc", "select j.acc from journal j") == ["j.account"]
    assert "account" not in completions("acc", "select acc from timeline")
    assert (completions("SEL", "SEL"), completions("sel", "sel")) == (["SELECT"], ["select"])
