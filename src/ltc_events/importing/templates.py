"""Templates: texts with `{expressions}` in them, and the tables and lists of a command's data made of such texts."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ltc_events.importing.errors import BadValue
from ltc_events.importing.expressions import Scope, compile_expression, truth
from ltc_events.importing.kinds import TEXT, BadFormula, Expression, as_json, as_text, empty_value
from ltc_events.importing.mapping import iso, nearest
from ltc_events.importing.source import go_through

Build = Callable[[Any], Any]
"""Makes a value of JSON from a row; None where there is nothing to say."""
ItemScope = Callable[[Scope, str], Scope]
"""The scope of the rows of a file that are gone through within another scope."""


def compile_template(text: str, scope: Scope) -> Expression:
    """A text with expressions in braces; `{{` and `}}` are plain braces. One expression alone keeps its kind.

    Raises BadFormula.
    """
    parts = list(_parts(text))
    if len(parts) == 1 and isinstance(parts[0], tuple):
        return compile_expression(parts[0][0], scope)
    pieces = [part if isinstance(part, str) else compile_expression(part[0], scope).evaluate for part in parts]
    if all(isinstance(piece, str) for piece in pieces):
        fixed = "".join(map(str, pieces))
        return Expression(lambda _: fixed, TEXT, repr(fixed))

    def evaluate(row: Any) -> str | None:
        joined = "".join(piece if isinstance(piece, str) else as_text(piece(row)) for piece in pieces)
        return joined.strip() or None

    return Expression(evaluate, TEXT, text)


def _parts(text: str) -> Iterator[str | tuple[str]]:
    """Plain text as it is; each expression as a tuple of one."""
    plain, place = "", 0
    while place < len(text):
        mark = text[place]
        if text[place : place + 2] in ("{{", "}}"):
            plain, place = plain + mark, place + 2
        elif mark == "{":
            end = _closing(text, place + 1)
            if plain:
                yield plain
            plain = ""
            yield (text[place + 1 : end],)
            place = end + 1
        elif mark == "}":
            raise BadFormula(f"{text!r} has a }} without its {{", "write }} twice where a brace is meant")
        else:
            plain, place = plain + mark, place + 1
    if plain or not text:
        yield plain


def _closing(text: str, place: int) -> int:
    """Where the expression that begins at `place` ends; braces within quotes do not count."""
    quote = ""
    for end in range(place, len(text)):
        mark = text[end]
        if quote:
            quote = "" if mark == quote else quote
        elif mark in "'\"":
            quote = mark
        elif mark == "}":
            return end
    raise BadFormula(f"{text!r} has a {{ without its }}", "close the brace, or write {{ twice where a brace is meant")


def compile_data(data: dict[str, Any], model: type[BaseModel], scope: Scope, item_scope: ItemScope) -> Build:
    """The builder of a command's data. Raises BadFormula, whose problem names the field."""
    return _Data(item_scope).table(data, [model], scope, "data")


class _Data:
    """Walks data and its schema side by side, so that a mistyped field is found before any row is read."""

    def __init__(self, item_scope: ItemScope) -> None:
        self._item_scope = item_scope

    def value(self, node: Any, annotation: Any, scope: Scope, path: str) -> Build:
        """The builder of any value."""
        if isinstance(node, str):
            return self._text(node, scope, path)
        if isinstance(node, list):
            return self._list(node, annotation, scope, path)
        if isinstance(node, dict):
            if "each" in node:
                return self._each(node, annotation, scope, path)
            return self.table(node, _models(annotation), scope, path)
        fixed = iso(node) if isinstance(node, datetime | date) else node
        return lambda _: fixed

    def table(self, node: dict[str, Any], models: Sequence[type[BaseModel]], scope: Scope, path: str) -> Build:
        """The builder of a table; fields that come out empty are left out. `when` makes the whole of it conditional."""
        condition = self._condition(node, scope, path)
        fields = {key: value for key, value in node.items() if key != "when"}
        known = _check_fields(fields, models, path)
        builders = []
        for key, value in fields.items():
            field = known.get(key)
            at = f"{path}.{key}"
            builder = self.value(value, None if field is None else field.annotation, scope, at)
            builders.append((key, _required(builder, value, at) if field is not None and field.is_required() else builder))

        def build(row: Any) -> dict[str, Any] | None:
            if condition is not None and not condition(row):
                return None
            made = {}
            for key, builder in builders:
                value = builder(row)
                if value is not None:
                    made[key] = value
            return made

        return build

    def _text(self, text: str, scope: Scope, path: str) -> Build:
        expression = _located(path, lambda: compile_template(text, scope))
        if expression.kind.name in ("row", "rows"):
            problem = f"{path}: {expression.text} is {expression.kind}"
            raise BadFormula(problem, 'name one of its columns behind a dot, or make a list: { each = "…", item = { … } }')
        evaluate = expression.evaluate
        return lambda row: as_json(evaluate(row))

    def _list(self, nodes: list[Any], annotation: Any, scope: Scope, path: str) -> Build:
        inner = _item_annotation(annotation)
        builders = [self.value(node, inner, scope, f"{path}[{number}]") for number, node in enumerate(nodes, 1)]
        return lambda row: [value for builder in builders if (value := builder(row)) is not None]

    def _each(self, node: dict[str, Any], annotation: Any, scope: Scope, path: str) -> Build:
        unknown = set(node) - {"each", "when", "item"}
        if unknown or "item" not in node:
            problem = f"{path}.{min(unknown)} is not known" if unknown else f"{path}.item is missing"
            raise BadFormula(problem, 'write { each = "rows", when = "…", item = { … } }')
        rows = _located(path, lambda: compile_expression(node["each"], scope))
        if rows.kind.name != "rows":
            problem = f"{path}.each: {rows.text} is {rows.kind}"
            raise BadFormula(problem, "name a link that has many = true")
        inside = self._item_scope(scope, rows.kind.of)
        condition = self._condition(node, inside, path)
        items = node["item"] if isinstance(node["item"], list) else [node["item"]]
        inner = _item_annotation(annotation)
        builders = [self.value(item, inner, inside, f"{path}.item") for item in items]
        return _listing(rows.evaluate, condition, builders)

    def _condition(self, node: dict[str, Any], scope: Scope, path: str) -> Callable[[Any], bool] | None:
        text = node.get("when")
        return None if text is None else truth(_located(f"{path}.when", lambda: compile_expression(text, scope)))


def _listing(rows: Build, condition: Callable[[Any], bool] | None, builders: Sequence[Build]) -> Build:
    def build(parent: Any) -> list[Any]:
        made: list[Any] = []
        for row in go_through(rows(parent), parent):
            if condition is not None and not condition(row):
                continue
            for builder in builders:
                row.position = len(made) + 1
                value = builder(row)
                if value is not None:
                    made.append(value)
        return made

    return build


def _located(path: str, compile: Callable[[], Expression]) -> Expression:
    try:
        return compile()
    except BadFormula as error:
        raise BadFormula(f"{path}: {error.problem}", error.fix) from error


def _required(builder: Build, node: Any, path: str) -> Build:
    """A field that its schema needs: left empty by the source, it is the row that is refused, and not the command."""
    text = _compact(node) if isinstance(node, str) else path

    def build(row: Any) -> Any:
        value = builder(row)
        if value is None:
            error = empty_value(text)
            raise BadValue(error.code, f"{path}: {error.reason}", error.fix, column=text)
        return value

    return build


def _compact(text: str) -> str:
    """A template that is one expression without its braces, for messages."""
    parts = list(_parts(text))
    return parts[0][0] if len(parts) == 1 and isinstance(parts[0], tuple) else text


def _check_fields(fields: dict[str, Any], models: Sequence[type[BaseModel]], path: str) -> dict[str, FieldInfo]:
    """The schema's fields; raises BadFormula for one that it does not have, or needs and does not get."""
    if len(models) != 1:
        return {}
    known = {name: field for name, field in models[0].model_fields.items() if name not in ("occurred_at", "effective_on")}
    for name in fields:
        if name not in known:
            raise BadFormula(f"{path}.{name}: {models[0].__name__} has no such field", nearest(name, list(known)))
    for name, field in known.items():
        if field.is_required() and name not in fields:
            raise BadFormula(f"{path}.{name} is missing: {models[0].__name__} needs it", f"add {name} = …")
    return known


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that a value of this annotation may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) is dict:
        return []
    return [model for argument in get_args(annotation) for model in _models(argument)]


def _item_annotation(annotation: Any) -> Any:
    return Union[tuple(_models(annotation))] if _models(annotation) else None  # noqa: UP007 - made at run time
