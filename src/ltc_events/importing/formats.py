"""Forms of numbers and dates that a mapping gives to the functions that read cells: checked, and made patterns."""

import re
from collections.abc import Sequence

from ltc_events.importing.mapping import nearest
from ltc_events.importing.trees import Node, call, constant, walk

_EXAMPLE = re.compile(r"1(?P<group>[^0-9]?)234(?:(?P<point>[^0-9])56)?")
_MOMENTS = frozenset({"ltc_date", "ltc_time", "ltc_instant"})


def problem_of_call(name: str, arguments: list[Node], maps: list[str]) -> tuple[str, str] | None:
    """What is wrong with the forms of a call, and what to write; None when nothing is."""
    if name == "ltc_amount" and len(arguments) > 1:
        forms = [_fixed(one) for one in arguments[1:]]
        if None in forms:
            return _not_fixed(name, "'1,234.56'")
        return next(filter(None, map(_of_number, _numbers(forms)[0])), None)
    if name in _MOMENTS:
        for one in arguments[1:]:
            form = _fixed(one)
            found = _of_moment(form, name) if form is not None else _not_fixed(name, "'%Y-%m-%d'")
            if found is not None:
                return found
    if name == "ltc_word" and arguments:
        word = _fixed(arguments[0])
        if word is None:
            return _not_fixed(name, "'channel'")
        if word not in maps:
            return f"there is no maps.{word}", nearest(word, maps) if maps else f"add [maps.{word}] to mapping.toml"
    return None


def _fixed(node: Node) -> str | None:
    if node.get("class") != "CONSTANT" or node["value"]["type"]["id"] != "VARCHAR":
        return None
    return str(node["value"]["value"])


def _not_fixed(name: str, example: str) -> tuple[str, str]:
    return f"a form of {name} is worked out", f"write it as a fixed text, for example {example}"


def with_patterns(tree: Node) -> Node:
    """A query whose numbers are read by patterns, which take the place of the forms of its calls; changed in place."""
    walk(tree, _write_patterns)
    return tree


def _write_patterns(node: Node) -> None:
    name = str(node.get("function_name", "")).lower()
    if node.get("class") != "FUNCTION" or name not in ("ltc_amount", "ltc_amount_refusals"):
        return
    before = node["children"][:3] if name.endswith("_refusals") else node["children"][:1]
    forms, mark = _numbers([_fixed(one) for one in node["children"][len(before) :]])
    patterns = [_pattern(form, mark) for form in forms]
    readings = [call("ltc_number", before[-1], *map(constant, one)) for one in patterns]
    listed = call("ltc_readings", call("list_value", *readings))
    if name == "ltc_amount":
        node |= {**(readings[0] if len(readings) == 1 else call("ltc_only", listed)), "alias": node["alias"]}
        return
    want = " or ".join(forms) + (f", with {mark} before or behind it" if mark else "")
    written = constant("|".join(one[0] for one in patterns))
    node |= {**call("ltc_number_refusals", *before, listed, written, constant(want)), "alias": node["alias"]}


def _numbers(forms: Sequence[str | None]) -> tuple[list[str], str]:
    """The forms among the arguments of a call, and the mark: the last one, where it has no digit."""
    texts = [one or "" for one in forms]
    mark = texts.pop() if len(texts) > 1 and not re.search("[0-9]", texts[-1]) else ""
    return texts, mark


def _pattern(form: str, mark: str) -> tuple[str, str, str, str]:
    """How a number of a form is written in whole, its digits, what separates groups of them, and its point.

    Groups have three digits; a minus stands before or behind, or as parentheses around; a mark before or behind.
    """
    match = _EXAMPLE.fullmatch(form)
    group, point = (match["group"], match["point"] or "") if match else ("", "")
    whole = rf"(?:[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+|[0-9]+)" if group else "[0-9]+"
    digits = f"(?:{whole}{f'(?:{re.escape(point)}[0-9]+)?' if point else ''})"
    before, behind = (rf"(?:{re.escape(mark)}\s*)?", rf"(?:\s*{re.escape(mark)})?") if mark else ("", "")
    written = (
        rf"^(?:{before}[-\x{{2212}}+]?\s*{before}{digits}{behind}|{before}{digits}\s*[-\x{{2212}}]{behind}"
        rf"|\(\s*{before}{digits}{behind}\s*\))$"
    )
    return written, digits, group, point or "."


def _of_number(form: str) -> tuple[str, str] | None:
    match = _EXAMPLE.fullmatch(form)
    if match is None or (match["group"] and match["group"] == match["point"]):
        return f"{form!r} does not say how 1234.56 is written", "write what 1234.56 looks like: '1,234.56', '1.234,56', '1234.56'"
    return None


def _of_moment(form: str, name: str) -> tuple[str, str] | None:
    seen = re.findall(r"%(-?[a-zA-Z%])", form)
    parts = [one.lstrip("-") for one in seen if one != "%"]
    unknown = [one for one in parts if one not in "YymdHIMSfnpzbB"]
    if unknown:
        return f"%{unknown[0]} of {form!r} is not known", "use %Y %y %m %d %H %I %M %S %f %n %p %z %b %B"
    twice = [one for one in parts if parts.count(one) > 1]
    if twice:
        return f"%{twice[0]} stands twice in {form!r}", "leave one of them"
    have = set(parts)
    if not (have & {"Y", "y"} and have & {"m", "b", "B"} and "d" in have):
        return f"{form!r} does not say a date in full", "a form needs a year (%Y or %y), a month (%m or %b) and a day (%d)"
    if ("I" in have) != ("p" in have):
        return f"{form!r} does not say which half of the day", "%I (hour to 12) and %p (am or pm) go together"
    if ("z" in have) != (name == "ltc_instant"):
        return f"{form!r} does not go with {name}", "read times with an offset (%z) with ltc_instant, others with ltc_time"
    return None
