"""Expressions of a mapping, compiled once to closures over a row: `discount + tax`, `order.account.name or 'unknown'`.

The grammar is a small part of Python's, and nothing is ever handed to Python to run.
"""

import ast
import operator
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from ltc_events.importing.functions import FUNCTIONS
from ltc_events.importing.kinds import (
    BOOLEAN,
    DATE,
    EMPTY,
    NUMBER,
    NUMBERS,
    TEXT,
    TIME,
    BadFormula,
    Expression,
    Kind,
    empty_value,
)
from ltc_events.importing.mapping import nearest
from ltc_events.importing.moments import MomentFormat
from ltc_events.importing.numbers import EXACT

_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Decimal]] = {
    ast.Add: EXACT.add,
    ast.Sub: EXACT.subtract,
    ast.Mult: EXACT.multiply,
}
_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ISO_DAY = MomentFormat("%Y-%m-%d")
_ISO_TIME = MomentFormat("%Y-%m-%dT%H:%M:%S%z")


class Scope(Protocol):
    """What names mean where an expression stands."""

    namespace: str

    def resolve(self, name: str) -> tuple[Callable[[Any], Any], Kind] | None:
        """What a bare name stands for."""
        ...

    def names(self) -> list[str]:
        """All bare names, for hints."""
        ...

    def member(self, file: str, name: str) -> tuple[int, Kind] | None:
        """Where a row of `file` holds the value `name`."""
        ...

    def members(self, file: str) -> list[str]:
        """All names that rows of `file` have."""
        ...


def compile_expression(text: str, scope: Scope) -> Expression:
    """The expression that `text` is. Raises BadFormula."""
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError) as error:
        raise BadFormula(f"`{text}` cannot be read: {error.args[0]}", "docs/import.md lists what expressions may hold") from error
    return _Compiler(text.strip(), scope).compile(tree.body)


def truth(expression: Expression) -> Callable[[Any], bool]:
    """An expression as a condition: a boolean as it is; anything else is true when it is there."""
    evaluate = expression.evaluate
    if expression.kind == BOOLEAN:
        return lambda row: evaluate(row) is True
    if expression.kind.name in ("rows", "list"):
        return lambda row: bool(evaluate(row))
    return lambda row: evaluate(row) is not None


class _Compiler:
    def __init__(self, text: str, scope: Scope) -> None:
        self._text = text
        self._scope = scope

    def compile(self, node: ast.expr) -> Expression:
        """The expression of a node of the syntax tree."""
        match node:
            case ast.Name():
                return self._name(node)
            case ast.Constant():
                return self._constant(node)
            case ast.Attribute():
                return self._attribute(node)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.BoolOp():
                return self._logic(node)
            case ast.Compare():
                return self._comparison(node)
            case ast.IfExp():
                return self._choice(node)
            case ast.Call():
                return self._call(node)
        what = self._source(node)
        raise BadFormula(f"`{what}` is nothing that expressions may hold", "docs/import.md lists what expressions may hold")

    def _name(self, node: ast.Name) -> Expression:
        name = node.id
        if name in ("true", "false"):
            value = name == "true"
            return Expression(lambda _: value, BOOLEAN, name)
        if name == "empty":
            return Expression(lambda _: None, EMPTY, name)
        found = self._scope.resolve(name)
        if found is None:
            raise BadFormula(f"`{self._text}`: there is no {name} here", nearest(name, self._scope.names()))
        return Expression(*found, name)

    def _constant(self, node: ast.Constant) -> Expression:
        value = node.value
        text = self._source(node)
        if isinstance(value, str):
            return Expression(lambda _: value, TEXT, text)
        if isinstance(value, int | float) and not isinstance(value, bool) and re.fullmatch(r"\d+(\.\d+)?", text):
            number = Decimal(text)
            return Expression(lambda _: number, NUMBER, text)
        raise BadFormula(
            f"`{text}` is no text and no plain number", "write true, false or empty in lower case; numbers like 12.50"
        )

    def _attribute(self, node: ast.Attribute) -> Expression:
        owner = self.compile(node.value)
        if owner.kind.name not in ("row", "rows"):
            problem = f"`{owner.text}` is {owner.kind}, so it has no .{node.attr}"
            raise BadFormula(problem, "only links to rows of another file have values behind a dot")
        member = self._scope.member(owner.kind.of, node.attr)
        if member is None:
            problem = f"`{self._text}`: there is no {node.attr} in files.{owner.kind.of}"
            raise BadFormula(problem, nearest(node.attr, self._scope.members(owner.kind.of)))
        slot, kind = member
        find = owner.evaluate
        text = self._source(node)
        if owner.kind.name == "rows":
            if kind.name in ("row", "rows", "list"):
                raise BadFormula(f"`{text}` would be a list of lists", "sum or count in a value of the other file first")
            return Expression(lambda row: [one[slot] for one in find(row)], Kind("list", kind.name), text)

        def evaluate(row: Any) -> Any:
            other = find(row)
            return None if other is None else other[slot]

        return Expression(evaluate, kind, text)

    def _arithmetic(self, node: ast.BinOp) -> Expression:
        operate = _ARITHMETIC.get(type(node.op))
        left, right = self.compile(node.left), self.compile(node.right)
        if operate is None:
            raise BadFormula(
                f"`{self._source(node)}`: only + - * are known", "a quotient would have to be rounded; map it in the source"
            )
        for side in (left, right):
            self._want(side, NUMBERS, "only numbers can be added; texts are joined by a template, {a} {b}, or join(a, b)")
        (first, _, first_text), (second, _, second_text) = left, right

        def evaluate(row: Any) -> Decimal:
            one, other = first(row), second(row)
            if one is None or other is None:
                raise empty_value(first_text if one is None else second_text)
            return operate(one, other)

        return Expression(evaluate, NUMBER, self._source(node))

    def _unary(self, node: ast.UnaryOp) -> Expression:
        operand = self.compile(node.operand)
        text = self._source(node)
        if isinstance(node.op, ast.Not):
            condition = truth(operand)
            return Expression(lambda row: not condition(row), BOOLEAN, text)
        if not isinstance(node.op, ast.USub):
            raise BadFormula(f"`{text}`: only - and not may stand before a value", "leave the sign out")
        self._want(operand, NUMBERS, "only a number can be negated")
        value_of = operand.evaluate

        def evaluate(row: Any) -> Decimal:
            value = value_of(row)
            if value is None:
                raise empty_value(operand.text)
            return EXACT.minus(value)

        return Expression(evaluate, NUMBER, text)

    def _logic(self, node: ast.BoolOp) -> Expression:
        parts = [self.compile(value) for value in node.values]
        text = self._source(node)
        if isinstance(node.op, ast.And):
            conditions = [truth(part) for part in parts]
            return Expression(lambda row: all(condition(row) for condition in conditions), BOOLEAN, text)
        if any(part.kind == BOOLEAN for part in parts):
            conditions = [truth(part) for part in parts]
            return Expression(lambda row: any(condition(row) for condition in conditions), BOOLEAN, text)
        return Expression(_first_filled([part.evaluate for part in parts]), self._common(parts, text), text)

    def _choice(self, node: ast.IfExp) -> Expression:
        condition = truth(self.compile(node.test))
        then, otherwise = self.compile(node.body), self.compile(node.orelse)
        text = self._source(node)
        kind = self._common([then, otherwise], text)
        yes, no = then.evaluate, otherwise.evaluate
        return Expression(lambda row: yes(row) if condition(row) else no(row), kind, text)

    def _comparison(self, node: ast.Compare) -> Expression:
        text = self._source(node)
        if len(node.ops) != 1:
            raise BadFormula(f"`{text}` compares more than two values", "join two comparisons by and")
        left, op, right = self.compile(node.left), node.ops[0], node.comparators[0]
        if isinstance(op, ast.In | ast.NotIn):
            return self._membership(left, isinstance(op, ast.In), right, text)
        other = self.compile(right)
        if isinstance(op, ast.Eq | ast.NotEq | ast.Is | ast.IsNot):
            return self._equality(left, isinstance(op, ast.Eq | ast.Is), other, text)
        left, other = _dated(left, other), _dated(other, left)
        self._common([left, other], text)
        for side in (left, other):
            self._want(side, (*NUMBERS, DATE, TIME), "only numbers, dates and times have an order")
        return Expression(_ordered(left, _ORDER[type(op)], other), BOOLEAN, text)

    def _equality(self, left: Expression, equal: bool, other: Expression, text: str) -> Expression:
        left, other = _dated(left, other), _dated(other, left)
        first, second = left.evaluate, other.evaluate
        if EMPTY in (left.kind, other.kind):
            there = truth(left if other.kind == EMPTY else other)
            return Expression((lambda row: not there(row)) if equal else there, BOOLEAN, text)
        self._common([left, other], text)
        compare = operator.eq if equal else operator.ne
        return Expression(lambda row: compare(first(row), second(row)), BOOLEAN, text)

    def _membership(self, left: Expression, inside: bool, right: ast.expr, text: str) -> Expression:
        if not isinstance(right, ast.List | ast.Tuple) or not right.elts:
            raise BadFormula(f"`{text}`: behind `in` stands a list", "write for example status in ['won', 'lost']")
        choices = [_dated(self.compile(one), left) for one in right.elts]
        for one, node in zip(choices, right.elts, strict=True):
            if not isinstance(node, ast.Constant):
                raise BadFormula(f"`{text}`: the list behind `in` holds {one.text}", "list fixed texts or numbers")
            self._common([left, one], text)
        values = frozenset(one.evaluate(None) for one in choices)
        evaluate = left.evaluate
        if inside:
            return Expression(lambda row: evaluate(row) in values, BOOLEAN, text)
        return Expression(lambda row: evaluate(row) not in values, BOOLEAN, text)

    def _call(self, node: ast.Call) -> Expression:
        name = node.func.id if isinstance(node.func, ast.Name) else self._source(node.func)
        function = FUNCTIONS.get(name)
        if function is None or node.keywords:
            raise BadFormula(f"`{self._source(node)}`: there is no function {name}", nearest(name, list(FUNCTIONS)))
        arguments = [self.compile(argument) for argument in node.args]
        if not function.least <= len(arguments) <= function.most:
            raise BadFormula(f"`{self._source(node)}` has {len(arguments)} arguments", f"write {function.usage}")
        evaluate, kind = function.build(arguments, self._scope.namespace)
        return Expression(evaluate, kind, self._source(node))

    def _common(self, parts: Sequence[Expression], text: str) -> Kind:
        """The one kind that all parts have."""
        kinds = {part.kind for part in parts if part.kind != EMPTY}
        if not kinds:
            return EMPTY
        if kinds <= set(NUMBERS):
            return NUMBER if len(kinds) > 1 else kinds.pop()
        if len(kinds) > 1:
            said = " and ".join(sorted(f"{part.text} is {part.kind}" for part in parts))
            raise BadFormula(f"`{text}` mixes kinds: {said}", "give the columns the same type, or use date(…) or text(…)")
        return kinds.pop()

    def _want(self, expression: Expression, kinds: Sequence[Kind], fix: str) -> None:
        if expression.kind not in kinds:
            problem = f"`{self._text}`: {expression.text} is {expression.kind}"
            fix = f'{fix}; a column of numbers needs type = "number"' if expression.kind == TEXT and NUMBER in kinds else fix
            raise BadFormula(problem, fix)

    def _source(self, node: ast.AST) -> str:
        return ast.get_source_segment(self._text, node) or self._text


def _first_filled(parts: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def evaluate(row: Any) -> Any:
        for part in parts:
            value = part(row)
            if value is not None:
                return value
        return None

    return evaluate


def _ordered(left: Expression, compare: Callable[[Any, Any], bool], right: Expression) -> Callable[[Any], bool]:
    (first, _, first_text), (second, _, second_text) = left, right

    def evaluate(row: Any) -> bool:
        one, other = first(row), second(row)
        if one is None or other is None:
            raise empty_value(first_text if one is None else second_text)
        return compare(one, other)

    return evaluate


def _dated(expression: Expression, beside: Expression) -> Expression:
    """A fixed text beside a date or time is one, too: `created < '2020-01-01'`."""
    if expression.kind != TEXT or beside.kind not in (DATE, TIME) or not expression.text.startswith(("'", '"')):
        return expression
    text = expression.evaluate(None)
    moment = _ISO_DAY.read(text) or _ISO_TIME.read(text)
    if moment is None or (beside.kind == TIME and moment.tzinfo is None):
        form = "2020-12-31" if beside.kind == DATE else "2020-12-31T00:00:00Z"
        raise BadFormula(f"{expression.text} is no {beside.kind.name}", f"write it like '{form}'")
    value: date | datetime = moment.date() if beside.kind == DATE else moment
    return Expression(lambda _: value, beside.kind, expression.text)
