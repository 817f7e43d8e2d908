"""Forms of numbers and dates that a mapping gives to the functions that read cells, checked before any row is read."""

import re

from ltc_events.importing.mapping import nearest
from ltc_events.importing.trees import Node

_EXAMPLE = re.compile(r"1(?P<group>[^0-9]?)234(?:(?P<point>[^0-9])56)?")
_MOMENTS = frozenset({"ltc_date", "ltc_time", "ltc_instant"})


def problem_of_call(name: str, arguments: list[Node], maps: list[str]) -> tuple[str, str] | None:
    """What is wrong with the forms of a call, and what to write; None when nothing is."""
    if name == "ltc_amount" and len(arguments) > 1:
        form = _fixed(arguments[1])
        return _of_number(form) if form is not None else _not_fixed(name, "'1,234.56'")
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


def _of_number(form: str) -> tuple[str, str] | None:
    match = _EXAMPLE.fullmatch(form)
    if match is None or (match["group"] and match["group"] == match["point"]):
        return f"{form!r} does not say how 1234.56 is written", "write what 1234.56 looks like: '1,234.56', '1.234,56', '1234.56'"
    return None


def _of_moment(form: str, name: str) -> tuple[str, str] | None:
    seen = re.findall(r"%(-?[a-zA-Z%])", form)
    parts = [one.lstrip("-") for one in seen if one != "%"]
    unknown = [one for one in parts if one not in "YymdHIMSfpzbB"]
    if unknown:
        return f"%{unknown[0]} of {form!r} is not known", "use %Y %y %m %d %H %I %M %S %f %p %z %b %B"
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
