"""What expressions and templates of a mapping mean, and which mistakes in them are found before any row is read."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from ltc_events.importing.errors import BadValue
from ltc_events.importing.expressions import compile_expression, truth
from ltc_events.importing.kinds import BOOLEAN, DATE, INTEGER, NUMBER, TEXT, TIME, BadFormula, Kind
from ltc_events.importing.templates import compile_template
from ltc_events.kernel.ids import derive_id

ITEMS = [{"price": Decimal("12.99"), "sku": "A"}, {"price": Decimal("0.01"), "sku": "B"}]
ROW: dict[str, Any] = {
    "subtotal": Decimal("100.10"),
    "discount": Decimal("0.00"),
    "tax": None,
    "count": 3,
    "title": "Chair",
    "nothing": None,
    "paid": True,
    "day": date(2021, 4, 15),
    "moment": datetime(2021, 4, 15, 9, 30, tzinfo=UTC),
    "order": {"price": Decimal(5), "sku": "O"},
    "no_order": None,
    "items": ITEMS,
    "no_items": [],
}
KINDS = {
    "subtotal": NUMBER,
    "discount": NUMBER,
    "tax": NUMBER,
    "count": INTEGER,
    "title": TEXT,
    "nothing": TEXT,
    "paid": BOOLEAN,
    "day": DATE,
    "moment": TIME,
    "order": Kind("row", "items"),
    "no_order": Kind("row", "items"),
    "items": Kind("rows", "items"),
    "no_items": Kind("rows", "items"),
}
MEMBERS = {"price": NUMBER, "sku": TEXT}


class RowScope:
    """Names that stand for the values of `ROW`."""

    namespace = "test"

    def resolve(self, name: str) -> tuple[Callable[[Any], Any], Kind] | None:
        return (lambda row: row[name], KINDS[name]) if name in KINDS else None

    def names(self) -> list[str]:
        return list(KINDS)

    def member(self, file: str, name: str) -> tuple[Any, Kind] | None:
        return (name, MEMBERS[name]) if name in MEMBERS else None

    def members(self, file: str) -> list[str]:
        return list(MEMBERS)


def value(text: str) -> Any:
    return compile_expression(text, RowScope()).evaluate(ROW)


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("subtotal", Decimal("100.10")),
        ("subtotal - discount", Decimal("100.10")),
        ("-subtotal + 0.1", Decimal("-100.00")),
        ("subtotal * 3", Decimal("300.30")),
        ("subtotal * count", Decimal("300.30")),
        ("count + 1", Decimal(4)),
        ("'fixed'", "fixed"),
        ("title == 'Chair' and not nothing", True),
        ("title != 'Chair' or paid", True),
        ("title in ['Table', 'Chair']", True),
        ("title not in ('Table', 'Chair')", False),
        ("subtotal >= 100.10", True),
        ("day < '2021-04-16'", True),
        ("moment > '2021-04-15T09:30:00+01:00'", True),
        ("tax is empty", True),
        ("tax == empty", True),
        ("subtotal is not empty", True),
        ("no_items == empty", True),
        ("not no_order", True),
        ("'yes' if items else 'no'", "yes"),
        ("'yes' if no_items else 'no'", "no"),
        ("nothing or title", "Chair"),
        ("discount or subtotal", Decimal("0.00")),
        ("tax or 0", Decimal(0)),
        ("order.price", Decimal(5)),
        ("no_order.price", None),
        ("no_order.price or subtotal", Decimal("100.10")),
        ("sum(items.price)", Decimal("13.00")),
        ("sum(no_items.price)", Decimal(0)),
        ("count(items)", 2),
        ("first(items).sku", "A"),
        ("last(items.sku)", "B"),
        ("first(no_items).sku", None),
        ("min(subtotal, 7)", Decimal(7)),
        ("max(date(moment), day)", date(2021, 4, 15)),
        ("abs(-subtotal)", Decimal("100.10")),
        ("date(moment)", date(2021, 4, 15)),
        ("days_after(day, 20)", date(2021, 5, 5)),
        ("text(subtotal)", "100.10"),
        ("join(title, ' × ', count)", "Chair × 3"),
        ("lower(title)", "chair"),
        ("upper(nothing)", None),
        ("left(title, 2)", "Ch"),
        ("replace(title, 'Ch', 'St')", "Stair"),
        ("code('#12 (a/b)')", "12 -a/b"),
        ("possible_phone('030/1234567', 'DE')", "030/1234567"),
        ("possible_phone('030/1234567')", "030/1234567"),
        ("possible_phone('030/12345678901234', 'DE')", None),
        ("possible_phone('+999 1234567')", None),
        ("possible_phone('call Ann')", None),
        ("valid_email('ann@mill.example')", "ann@mill.example"),
        ("valid_email('ann at mill')", None),
        ("starts_with(title, 'Ch')", True),
        ("contains(nothing, 'x')", False),
        ("id('order', title, count)", derive_id("import", "test", "order", "Chair", "3")),
        ("id('order', 3.00) == id('order', count)", True),
        ("uuid('0190163d-8694-739b-aea5-966c26f8ad91') is empty", False),
        ("policy('billing') == policy('dunning')", False),
    ],
)
def test_an_expression_means(text: str, result: Any) -> None:
    assert value(text) == result


@pytest.mark.parametrize(
    ("text", "empty"),
    [
        ("subtotal + tax", "tax"),
        ("-tax", "tax"),
        ("tax > 0", "tax"),
        ("min(tax, 1)", "tax"),
        ("id('order', nothing)", "nothing"),
        ("uuid(nothing)", "nothing"),
        ("no_order.price + 1", "no_order.price"),
    ],
)
def test_an_empty_value_is_never_taken_for_zero(text: str, empty: str) -> None:
    with pytest.raises(BadValue) as refused:
        value(text)
    assert (refused.value.code, refused.value.column) == ("empty_value", empty)
    assert f"{empty} or …" in refused.value.fix


def test_a_sum_over_an_empty_value_is_refused() -> None:
    with pytest.raises(BadValue, match=r"items\.price is empty"):
        compile_expression("sum(items.price)", RowScope()).evaluate({"items": [{"price": None}]})


@pytest.mark.parametrize(
    ("text", "problem", "fix"),
    [
        ("subtotl", "there is no subtotl here", "did you mean subtotal?"),
        ("order.prize", "there is no prize in files.items", "did you mean price?"),
        ("title.price", "`title` is a text, so it has no .price", "only links"),
        ("title + 1", "title is a text", 'type = "number"'),
        ("'a' + 'b'", "'a' is a text", "join(a, b)"),
        ("subtotal / 3", "only + - * are known", "rounded"),
        ("subtotal == 'x'", "mixes kinds", "type"),
        ("title < 'x'", "title is a text", "have an order"),
        ("moment < '2021-04-16'", "'2021-04-16' is no time", "2020-12-31T00:00:00Z"),
        ("day == moment", "mixes kinds", "date("),
        ("1 < subtotal < 3", "more than two values", "and"),
        ("title in 'Chair'", "behind `in` stands a list", "['won', 'lost']"),
        ("title in [nothing]", "the list behind `in` holds nothing", "fixed"),
        ("title or 3", "mixes kinds", "type"),
        ("title if paid else count", "mixes kinds", "type"),
        ("eval(title)", "there is no function eval", "use one of id"),
        ("sums(items.price)", "there is no function sums", "did you mean sum?"),
        ("left(title)", "has 1 arguments", "write left(a, 80)"),
        ("sum(subtotal)", "subtotal is a number", "sum(rows.column)"),
        ("sum(items.sku)", "a list of texts", "a column of numbers"),
        ("count(order)", "a row of items", "many = true"),
        ("id(title, 3)", "the kind of an id is title", "id('order', number)"),
        ("policy('taxes')", "is no kind of policy", "required_fields"),
        ("lower(count)", "count is an integer, not a text", "type"),
        ("True", "True", "lower case"),
        ("1e3", "no plain number", "12.50"),
        ("subtotal +", "cannot be read", "docs/import.md"),
        ("[x for x in items]", "nothing that expressions may hold", "docs/import.md"),
        ("__import__('os')", "there is no function __import__", "use one of"),
        ("items[0]", "nothing that expressions may hold", "docs/import.md"),
        ("(lambda: 1)()", "there is no function", "use one of"),
    ],
)
def test_a_mistake_is_found_before_any_row_is_read(text: str, problem: str, fix: str) -> None:
    with pytest.raises(BadFormula) as bad:
        compile_expression(text, RowScope())
    assert problem in bad.value.problem
    assert fix in bad.value.fix


@pytest.mark.parametrize(
    ("text", "holds"), [("title", True), ("nothing", False), ("discount", True), ("no_items", False), ("paid", True)]
)
def test_a_value_as_a_condition_holds_when_it_is_there(text: str, holds: bool) -> None:
    assert truth(compile_expression(text, RowScope()))(ROW) is holds


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("{subtotal}", Decimal("100.10")),
        ("plain", "plain"),
        ("", ""),
        ("{title}: {subtotal} on {day}", "Chair: 100.10 on 2021-04-15"),
        ("at {moment}", "at 2021-04-15T09:30:00Z"),
        ("{title} {nothing}", "Chair"),
        ("{nothing} {nothing}", None),
        ("{{title}}", "{title}"),
        ("{'}'} {join('{', title)}", "} {Chair"),
    ],
)
def test_a_template_gives(text: str, result: Any) -> None:
    assert compile_template(text, RowScope()).evaluate(ROW) == result


@pytest.mark.parametrize("text", ["{title", "title}", "{title} }", "{'open}"])
def test_braces_go_in_pairs(text: str) -> None:
    with pytest.raises(BadFormula):
        compile_template(text, RowScope())
