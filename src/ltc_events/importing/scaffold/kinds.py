"""What files are: leads, pipeline, orders, invoices, payments or customers, by their names, their columns and what links them."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ltc_events.importing.scaffold.profile import Column, File

KINDS = ("customers", "leads", "pipeline", "orders", "invoices", "payments")
_NAMES = {
    "payments": r"payment|receipt|remittance|zahlung",
    "invoices": r"invoice|bill|rechnung",
    "orders": r"order|sale|bestell|auftr",
    "pipeline": r"deal|opportunit|potential|pipeline|chance",
    "leads": r"lead|inquir|enquir|anfrage",
    "customers": r"customer|client|account|compan|kunde",
}
_ROLES = {
    "changed": r"\b(modified|updated|changed)\b",
    "email": r"\be ?mail",
    "phone": r"phone|mobile|\btel",
    "country": r"\bcountry|\bland\b",
    "currency": r"currency|\bccy\b",
    "method": r"\bmethod|paid by|payment type|zahlungsart",
    "invoice": r"\b(invoice|bill|rechnung)s?( ?(no|nr|number|id|ref|reference|nummer))?$",
    "order": r"\b(order|auftrag|bestellung)s?( ?(no|nr|number|id|ref|reference|nummer))?$",
    "customer": r"customer|client|account|company|organi[sz]ation|buyer|kunde|firma|debtor|payer",
    "source": r"\bsource|channel|origin|quelle",
    "title": r"title|subject|\bdeal\b|potential|opportunity|project|titel",
    "name": r"\bname\b",
}
_CALLED = r"\bname\b|company|firma|organi[sz]ation"
_AMOUNT = (r"grand total|total|amount|betrag|gross|summe", r"value|worth|revenue|net|price|wert")
_DAY = (r"created|opened|ordered|invoiced|issued|received|paid|captured|registered|booked", r"date|day|datum|time|since")
_ISO = re.compile(r"[A-Z]{3}")


class Recognised(NamedTuple):
    """A file and what it is; `roles` has the column of each role, `doubts` what is not certain."""

    file: File
    name: str
    kind: str | None
    roles: dict[str, Column]
    doubts: list[str]


def recognise(files: Sequence[File]) -> list[Recognised]:
    """What each file is; names are those of its source."""
    taken: set[str] = set()
    found = []
    for file in files:
        name = re.sub(r"[^a-z0-9]+", "_", file.path.name.split(".")[0].lower()).strip("_") or "file"
        name = name if name[0].isalpha() else f"file_{name}"
        name = name[:50]
        while name in taken:
            name += "_2"
        taken.add(name)
        found.append(_recognised(file, name))
    return found


def _recognised(file: File, name: str) -> Recognised:
    doubts: list[str] = []
    kind = _kind(file)
    roles = _roles(file)
    keys = [one for one in file.columns if one.is_key and one.type != "date"]
    own = next((one for one in keys if kind and re.search(_NAMES[kind], _words(one.name))), None)
    plain = next((one for one in keys if re.search(r"\b(id|no|nr|number|key|code|nummer)\b|id$", _words(one.name))), None)
    key = own or plain or next(iter(keys), None)
    if key is not None:
        roles["key"] = key
        for role in ("invoice", "order", "title", "customer"):
            if roles.get(role) is key:
                del roles[role]
    if kind == "customers":
        named = [one for one in file.columns if one is not key and re.search(_CALLED, _words(one.name))]
        roles |= {"customer": named[0]} if named else {}
    if kind is None:
        doubts.append("nothing says whether these are leads, deals, orders, invoices, payments or customers")
    elif lacking := _lacking(kind, roles):
        doubts.append(f"these look like {kind}, but no column is {lacking}")
        kind = None
    for column in dict.fromkeys(roles.values()):
        if column.doubt:
            doubts.append(f"{column.name}: {column.doubt}")
        if column.odd:
            doubts.append(f"{column.name}: {column.odd} of its values are not written like {column.form}; their rows are refused")
    return Recognised(file, name, kind, roles, doubts)


def _kind(file: File) -> str | None:
    """By the file's name; else by its columns."""
    named = [kind for kind, pattern in _NAMES.items() if re.search(pattern, _words(file.path.name.split(".")[0]))]
    if named:
        return named[0]
    headings = " | ".join(_words(one.name) for one in file.columns)
    has_amount = any(one.type == "number" for one in file.columns)
    keys = " | ".join(_words(one.name) for one in file.columns if one.is_key)
    by_key = next((kind for kind, pattern in _NAMES.items() if re.search(pattern, keys)), None)
    if by_key is not None:
        return by_key
    if re.search(r"\bstage\b|probability", headings) and has_amount:
        return "pipeline"
    if re.search(r"\bmethod\b|paid", headings) and has_amount:
        return "payments"
    return "customers" if re.search(r"customer|company", headings) and not has_amount else None


def _roles(file: File) -> dict[str, Column]:
    roles: dict[str, Column] = {}
    for role, pattern in _ROLES.items():
        wanted = {"changed": ("date",), "customer": ("text", "number")}.get(role, ("text", "number"))
        fits = [one for one in file.columns if one.type in wanted and re.search(pattern, _words(one.name)) and one.filled]
        if role == "currency":
            fits = [one for one in fits if all(_ISO.fullmatch(word) for word in one.distinct)]
        if role == "customer":
            fits.sort(key=lambda one: bool(re.search(r"owner|type|status", _words(one.name))))
        if role in ("title", "invoice", "order"):
            fits.sort(key=lambda one: one.is_key)
        if fits:
            roles[role] = fits[0]
    for role, patterns, type in (("amount", _AMOUNT, "number"), ("day", _DAY, "date")):
        fits = [one for one in file.columns if one.type == type and one is not roles.get("changed")]
        fits = fits if type == "date" else [one for one in fits if not one.is_key or re.search(_AMOUNT[0], _words(one.name))]
        named = [one for pattern in patterns for one in fits if re.search(pattern, _words(one.name))]
        if named or fits:
            roles[role] = (named or fits)[0]
    return roles


def _lacking(kind: str, roles: dict[str, Column]) -> str | None:
    needs = {"key": "different in every row", "customer": "a customer"}
    if kind in ("orders", "invoices", "payments", "pipeline"):
        needs |= {"day": "a date", "amount": "an amount"}
    if kind == "leads":
        needs |= {"day": "a date"}
        if "customer" not in roles and not roles.keys().isdisjoint(("email", "name")):
            needs.pop("customer")
    return next((what for role, what in needs.items() if role not in roles), None)


def _words(heading: str) -> str:
    """A heading in lower case, its words apart: `OrderID`, `order_id` and `Order-Id` are `order id`."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", heading)
    return " ".join(re.findall(r"[^\W_]+", apart.lower()))
