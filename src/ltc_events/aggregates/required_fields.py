"""Which required fields are empty: policy `required_fields` held against what was given (R-3, R-5, R-30)."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ltc_events.aggregates.policies import Versioned
from ltc_events.kernel.errors import Refused
from ltc_events.schemas.policy import RequiredFields

Getter = Callable[[Any], Any]


class MissingFields(Refused):
    """a {noun} needs {missing} (policy required_fields, version {version})"""

    remedy = "fill in {missing}"


def require_lead_fields(lead: Any, policy: Versioned[RequiredFields]) -> None:
    """Refuse a lead that leaves a required field empty, naming all that are."""
    _require("lead", lead, policy.content.lead, policy.version, "")


def require_customer_fields(profile: Any, policy: Versioned[RequiredFields]) -> None:
    """Refuse a customer's profile that leaves a required field empty, naming all that are."""
    _require("customer", profile, policy.content.customer, policy.version, "profile.")


def _require(noun: str, values: Any, required: tuple[str, ...], version: int, prefix: str) -> None:
    missing = [name for name, getters in _getters(required) if not any(_filled(getter(values)) for getter in getters)]
    if missing:
        named = ", ".join(name.replace("|", " or ") for name in missing)
        raise MissingFields(noun=noun, missing=named, version=version, at=prefix + missing[0].partition("|")[0])


@lru_cache(maxsize=64)
def _getters(required: tuple[str, ...]) -> tuple[tuple[str, tuple[Getter, ...]], ...]:
    """Per required entry the ways to fill it: `phone|email` has two."""
    return tuple((entry, tuple(_getter(option) for option in entry.split("|"))) for entry in required)


def _getter(path: str) -> Getter:
    outer, _, inner = path.partition(".")
    if inner:
        return lambda values: getattr(getattr(values, outer), inner, None)
    return lambda values: getattr(values, outer)


def _filled(value: Any) -> bool:
    return bool(value.strip() if isinstance(value, str) else value)
