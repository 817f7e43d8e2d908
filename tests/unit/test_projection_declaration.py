"""A read table that is declared wrongly is refused when its class is made, with a sentence that says what is wrong."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.projection_samples import Billed, Bills, Chatter, Ledger, Paid, Voided

from ltc_events.projections.declaration.errors import ProjectionMisdeclared
from ltc_events.projections.declaration.projection import Add, Balance, Delete, Handler, Operation, Projection, Put, column, on
from ltc_events.schemas.base import Event
from ltc_events.schemas.record import Record


def handler(*events: type[Event]) -> Handler:
    @on(*events)
    def nothing(self: Projection, event: Event, record: Record) -> Iterator[Operation]:
        yield from ()

    return nothing


def declare(**changes: Any) -> type[Projection]:
    body: dict[str, Any] = {
        "__doc__": "One row per thing.",
        "table": "things",
        "version": 1,
        "key": ("position",),
        "columns": {"position": column("int8", "the event"), "amount": column("numeric", "how much")},
        "handle": handler(Billed),
    }
    return type("Things", (Projection,), body | changes)


def test_events_find_their_handlers_by_class() -> None:
    assert Bills.handlers == {Billed: Bills.billed, Paid: Bills.paid, Voided: Bills.voided}
    assert Bills.types == ("sample.billed.v1", "sample.paid.v1", "sample.voided.v1")
    assert (Bills.physical(), Bills.meaning()) == ("bills__v1", "One row per bill that still counts.")


def test_one_method_may_handle_several_events() -> None:
    both = declare(handle=handler(Billed, Chatter))
    assert set(both.handlers) == {Billed, Chatter}


def test_a_base_without_table_shares_its_handlers() -> None:
    shared: type[Projection] = type("Shared", (Projection,), {"paid": handler(Paid)})
    assert shared.handlers == {}
    heir: type[Projection] = type("Heir", (shared,), {**dict(vars(declare())), "more": handler(Voided)})
    assert set(heir.handlers) == {Billed, Paid, Voided}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"table": "Things"}, "not a plain lower-case name"),
        ({"table": "things__v2"}, "not a plain lower-case name"),
        ({"version": 0}, "version starts at 1"),
        ({"__doc__": None}, "docstring"),
        ({"key": ()}, "no key"),
        ({"key": ("thing_id",)}, "key names column thing_id, which is not declared"),
        ({"key": ("position", "position")}, "key names a column twice"),
        ({"indexes": (("colour",),)}, "index names column colour, which is not declared"),
        ({"columns": {"position": column("int8", "the event", default="0")}}, "key column position has a default"),
        ({"columns": {"position": column("bigint", "the event")}}, "type 'bigint', not one of uuid"),  # type: ignore[arg-type]
        ({"columns": {"position": column("int8", "")}}, "column position has no meaning"),
        ({"columns": {"position": column("int8", "it"), "to": column("text", "x"), "B": column("text", "x")}}, "column 'B'"),
        ({"append_only": True, "key": ("amount",)}, "append_only needs `position` in the key"),
        (
            {"append_only": True, "columns": {"position": column("int8", "it"), "n": column("int4", "x", default="0")}},
            "column n has a default",
        ),
        ({"balanced": Balance(("position",), "amount")}, "balanced needs append_only"),
        ({"append_only": True, "balanced": Balance(("position",), "total")}, "balanced names column total"),
        (
            {
                "append_only": True,
                "balanced": Balance(("position",), "who"),
                "columns": {"position": column("int8", "it"), "who": column("text", "x")},
            },
            "the balanced amount who is not a number",
        ),
        ({"checks": {"Not plain": "true"}}, "check 'Not plain'"),
        ({"handle": None}, "no handler"),
        ({"again": handler(Billed)}, "Billed has two handlers, again is the second"),
    ],
)
def test_a_wrong_declaration_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ProjectionMisdeclared) as refused:
        declare(**changes)
    assert complaint in refused.value.message
    assert "Things" in refused.value.message


def test_an_event_without_stable_name_cannot_be_handled() -> None:
    class Nameless(Event):
        pass

    with pytest.raises(ProjectionMisdeclared, match="Nameless has no stable name"):
        declare(handle=handler(Nameless))


def test_the_samples_are_sound() -> None:
    assert Ledger.append_only
    assert Ledger.balanced == Balance(("position",), "amount")


@pytest.mark.parametrize("operation", [lambda: Put(1, a=2), lambda: Add(1, a=2), lambda: Delete(1)])
def test_operations_show_what_they_are(operation: Callable[[], Operation]) -> None:
    shown = repr(operation())
    assert shown.startswith(type(operation()).__name__)
    assert "1" in shown
