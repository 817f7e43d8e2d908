"""The mapping of recognised files, as text: sources, tables that read the cells, a step for each command, and control totals."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ltc_events.importing.errors import DataUnusable
from ltc_events.importing.scaffold.kinds import Recognised, recognise
from ltc_events.importing.scaffold.profile import Column, File, profile
from ltc_events.kernel.currencies import minor_digits

_SUFFIXES = (".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".gz", ".zip")
_OF_MARK = {"€": "EUR", "$": "USD", "£": "GBP"}
_LINKED = 0.9
_OPTIONAL = ("email", "phone", "country")
_EVENTS = {
    "orders": ("order.placed", "net"),
    "invoices": ("invoice.issued", "payable"),
    "payments": ("payment.received", "amount"),
}
_BASE = "{subject} AS subject, customer, day AS time"
_LINE = """[{'line': 1, 'sku': 'TOTAL', 'description': 'As exported, without its lines', 'quantity': 1, 'unit_price': amount,
    'tax_category': 'Z', 'tax_rate': 0}] AS lines"""


class Scaffold(NamedTuple):
    """What was made: the files as they were recognised, and the mapping's own files by path within its folder."""

    recognised: list[Recognised]
    currency: str
    texts: dict[str, str]
    doubts: list[str]

    def document(self, folder: Path | None) -> dict[str, Any]:
        """As one JSON document."""
        files = []
        for one in self.recognised:
            roles = {column.name: role for role, column in one.roles.items()}
            columns = [
                {**column._asdict(), "distinct": len(column.distinct), "words": column.words, "role": roles.get(column.name)}
                for column in one.file.columns
            ]
            files.append({"file": one.file.path.name, "rows": one.file.rows, "kind": one.kind, "columns": columns})
        mapping = None if folder is None else str(folder)
        return {"mapping": mapping, "currency": self.currency, "files": files, "doubts": self.doubts}

    def write(self, folder: Path) -> None:
        """Write the mapping. Raises DataUnusable where something is there already, or there is nothing to write."""
        if not any(one.kind for one in self.recognised):
            problem = f"nothing was recognised: {'; '.join(self.doubts)}"
            raise DataUnusable(file=folder, problem=problem, fix="write a mapping by hand: docs/import.md has a tutorial")
        write_texts(folder, self.texts)


def write_texts(folder: Path, texts: Mapping[str, str]) -> None:
    """Write the files of a mapping. Raises DataUnusable where something is there already, or nothing can be written."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise DataUnusable(file=folder, problem="is there already", fix="name another folder, or remove it")
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        problem = f"the mapping cannot be written there: {error.strerror}"
        raise DataUnusable(file=folder, problem=problem, fix="give a folder in one that is there and writable") from error


def scaffold(data: Path, name: str, currency: str | None = None) -> Scaffold:
    """A mapping called `name` for a file, or the files of a folder. Raises DataUnusable."""
    if currency is not None and currency not in minor_digits():
        problem = "is not a currency of ISO 4217"
        raise DataUnusable(file=currency[:20], problem=problem, fix="write for example --currency EUR")
    if not data.is_file() and not data.is_dir():
        raise DataUnusable(file=data, problem="is neither a file nor a folder", fix="give the file that another system exported")
    files, left_out = _profiles(data)
    found = recognise(files)
    doubts = left_out + [f"{one.file.path.name}: {doubt}" for one in found for doubt in one.doubts]
    if currency is None:
        currency, doubt = _currency(found)
        doubts += [doubt] if doubt else []
    return Scaffold(found, currency, _Writer(name, found, currency, doubts).texts(), doubts)


def _profiles(data: Path) -> tuple[list[File], list[str]]:
    """A file, or those of a folder, and what is left out of it. Raises DataUnusable."""
    paths = [data]
    left_out: list[str] = []
    if data.is_dir():
        there = sorted(one for one in data.iterdir() if one.is_file() and not one.name.startswith("."))
        paths = [one for one in there if one.suffix.lower() in _SUFFIXES]
        left_out = [f"{one.name}: left out, as it is none of {', '.join(_SUFFIXES)}" for one in there if one not in paths]
    files = []
    for path in paths:
        try:
            files.append(profile(path))
        except DataUnusable as error:
            if data.is_file():
                raise
            left_out.append(f"{error}; left out")
    if not files:
        problem = "; ".join(["there is no file that could be read", *left_out[:9]])
        raise DataUnusable(file=data, problem=problem, fix=f"give a folder with files {', '.join(_SUFFIXES)}, or one of them")
    return files, left_out


def _currency(found: Sequence[Recognised]) -> tuple[str, str]:
    words = {word for one in found if "currency" in one.roles for word in one.roles["currency"].distinct}
    marks = {one.roles["amount"].mark for one in found if "amount" in one.roles} - {""}
    codes = words | {_OF_MARK.get(mark, mark) for mark in marks}
    if len(codes) == 1:
        return codes.pop(), ""
    if codes:
        return min(codes), f"amounts are in {', '.join(sorted(codes))}: each has control totals of its own"
    return "EUR", "no column says which currency amounts are in; EUR is taken (--currency)"


class _Writer:
    def __init__(self, name: str, found: Sequence[Recognised], currency: str, doubts: list[str]) -> None:
        self._name = name
        self._found = [one for one in found if one.kind is not None]
        self._currency = currency
        self._doubts = doubts
        self._customers = next((one for one in self._found if one.kind == "customers"), None)
        self._by_key = self._customers is not None and self._customers_have_keys_elsewhere(self._customers)

        for one in filter(self._is_in_unknown_currency, self._found):
            stated = ", ".join(sorted(self._stated(one)))
            doubts.append(
                f"{one.file.path.name}: no column says which of {stated} an amount is in: rows are counted, not added up"
            )

    def texts(self) -> dict[str, str]:
        """All files of the mapping."""
        texts = {"mapping.toml": self._mapping()}
        for one in self._found:
            texts[f"tables/{one.name}.sql"] = self._table(one)
            for number, (step, text) in enumerate(self._steps(one)):
                texts[f"steps/{_ORDER[one.kind or '']}{number}-{step}-{one.name}.sql"] = text
        return texts

    def _customers_have_keys_elsewhere(self, customers: Recognised) -> bool:
        """Whether other files name a customer by the key of the customers' file, rather than by his name."""
        key, name = customers.roles["key"].distinct, customers.roles["customer"].distinct
        others = [one.roles["customer"].distinct for one in self._found if one is not customers and "customer" in one.roles]
        return not others or sum(len(one & key) for one in others) >= sum(len(one & name) for one in others)

    def _registers(self, one: Recognised) -> bool:
        """Whether a file's rows have to make known whom they name."""
        if self._customers is None or one is self._customers or "customer" not in one.roles:
            return one is self._customers or one.kind != "leads"
        known = self._customers.roles["key" if self._by_key else "customer"].distinct
        named = one.roles["customer"].distinct
        return len(named & known) < len(named)

    def _linked(self, one: Recognised, role: str, kind: str) -> Recognised | None:
        """The file of a kind whose keys a column of this file names."""
        named = one.roles[role].distinct if role in one.roles else frozenset()
        others = [other for other in self._found if other.kind == kind and other is not one]
        fits = (other for other in others if named and len(named & other.roles["key"].distinct) >= _LINKED * len(named))
        return next(fits, None)

    def _stated(self, one: Recognised) -> frozenset[str]:
        """The currencies of a file's amounts. An invoice that says none is in that of its order."""
        if "currency" in one.roles:
            return one.roles["currency"].distinct
        mark = one.roles["amount"].mark if "amount" in one.roles else ""
        if mark:
            return frozenset({_OF_MARK.get(mark, mark)})
        orders = self._linked(one, "order", "orders") if one.kind == "invoices" else None
        return frozenset({self._currency}) if orders is None else self._stated(orders)

    def _is_in_unknown_currency(self, one: Recognised) -> bool:
        """Whether a row does not say in which of several currencies it is."""
        return "currency" not in one.roles and len(self._stated(one)) > 1

    def _mapping(self) -> str:
        lines = ["# Made by `ltc import scaffold`. What is not certain, to be looked at first:"]
        lines += [f"#   {_plain(doubt)}" for doubt in self._doubts] or ["#   nothing"]
        lines += ["", f'name = "{self._name}"', f'currency = "{self._currency}"', ""]
        for one in self._found:
            lines += [f"[sources.{one.name}]", f"path = {_toml(one.file.path.name)}", f"key = {_toml(one.roles['key'].name)}", ""]
        lines += ["[[policies]]", 'kind = "required_fields"', "time = 2000-01-01", "content = { lead = [], customer = [] }", ""]
        for one in self._found:
            lines += self._controls(one)
        return "\n".join(lines)

    def _controls(self, one: Recognised) -> list[str]:
        """The totals of a file: where its amounts are in several currencies, or in another than the mapping's, one of each."""
        stated = self._stated(one)
        if "amount" not in one.roles or one.kind not in (*_EVENTS, "pipeline") or stated == {self._currency}:
            return self._control(one, one.name)
        if self._is_in_unknown_currency(one):
            event, _ = _EVENTS[one.kind]
            subject = f"ltc_id('{event.partition('.')[0]}', id)"
            return [*_head(one, one.name), f'subject = "{subject}"', f'event = "{event}"', ""]
        lines = []
        for currency in sorted(stated):
            only = (f"when = \"currency = '{currency}'\"", f'currency = "{currency}"')
            lines += self._control(one, f"{one.name} in {currency}", *only)
        return lines

    def _control(self, one: Recognised, name: str, *only: str) -> list[str]:
        head = [*_head(one, name), *only]
        if one.kind in _EVENTS:
            event, field = _EVENTS[one.kind]
            subject = f"ltc_id('{event.partition('.')[0]}', id)"
            return [*head, 'sum = "amount"', f'subject = "{subject}"', f'event = "{event}"', f'field = "{field}"', ""]
        if one.kind == "pipeline":
            subject = "ltc_id('opportunity', id)"
            return [*head, 'sum = "amount"', f'subject = "{subject}"', 'state = "opportunity"', 'field = "amount"', ""]
        if one.kind == "leads":
            return [*head, "subject = \"ltc_id('lead', id)\"", 'state = "lead"', ""]
        return [*head, 'subject = "customer"', 'state = "customer"', ""]

    def _table(self, one: Recognised) -> str:
        roles = one.roles
        key, who = roles["key"], roles.get("customer") or roles.get("email") or roles["name"]
        identity = key if one is self._customers and self._by_key else who
        cells = [
            f"{_sql(key.name)} AS id",
            f"{_sql(who.name)} AS customer_name",
            f"ltc_id('customer', {_sql(identity.name)}) AS customer",
        ]
        texts = (*_OPTIONAL, "method", "source", "title", "name")
        cells += [f"{_sql(roles[role].name)} AS {role}" for role in texts if role in roles]
        cells += [f"{_sql(roles[role].name)} AS {role}_id" for role in ("order", "invoice") if role in roles]
        cells += [f"{_date(roles[role])} AS {role}" for role in ("day", "changed") if role in roles]
        if "amount" in roles:
            cells.append(f"{_amount(roles['amount'])} AS amount")
        if "currency" in roles:
            cells.append(f"{_sql(roles['currency'].name)} AS currency")
        elif not self._is_in_unknown_currency(one):
            cells.append(f"'{min(self._stated(one))}' AS currency")
        return "SELECT " + ",\n  ".join(cells) + f"\nFROM {_sql(one.name)}\n"

    def _steps(self, one: Recognised) -> list[tuple[str, str]]:
        steps = [("register", self._register(one))] if self._registers(one) else []
        match one.kind:
            case "leads":
                steps.append(("capture", self._lead(one)))
            case "pipeline":
                steps.append(("open", self._deal(one)))
            case "orders":
                steps.append(("place", self._order(one, "ltc_id('order', id)")))
            case "invoices":
                linked = self._linked(one, "order", "orders")
                order = "ltc_id('order', order_id)" if linked else "ltc_id('order', 'invoice', id)"
                steps += [] if linked else [("place", self._order(one, order))]
                fields = f"{order} AS order_id, 'ordered' AS basis, amount AS stated_payable"
                steps.append(("bill", _step(one, 'command = "invoice.issue"', "ltc_id('invoice', id)", fields)))
            case "payments":
                method = "ltc_code(method)" if "method" in one.roles else "'transfer'"
                fields = f"amount, currency, {method} AS method, id AS reference"
                steps.append(("receive", _step(one, 'command = "payment.receive"', "ltc_id('payment', id)", fields)))
                if self._linked(one, "invoice", "invoices"):
                    fields = "[{'invoice_id': ltc_id('invoice', invoice_id), 'amount': amount}] AS allocations"
                    steps.append(("allocate", _step(one, 'command = "payment.allocate"', "ltc_id('payment', id)", fields)))
        return steps

    def _register(self, one: Recognised) -> str:
        day = "day" if "day" in one.roles else "DATE '2000-01-01'"
        if one is not self._customers:
            head = 'command = "customer.register"\nonce = true\norder = "day"'
            return _text(one, head, f"customer AS subject, {day} AS time, {{'name': customer_name}} AS profile")
        fields = [f"'{role}': {role}" for role in _OPTIONAL if role in one.roles]
        profile = "{" + ", ".join(["'name': customer_name", *fields]) + "}"
        head = 'if_new = "customer.register"\nif_changed = "customer.update_profile"\nvanished = "report"'
        changed = ", changed" if "changed" in one.roles else ""
        return _text(one, head, f"customer AS subject, {day} AS time{changed}, {profile} AS profile")

    def _lead(self, one: Recognised) -> str:
        given = (("source", "origin"), ("email", "email"), ("phone", "phone"), ("name", "contact_name"))
        fields = ["'unknown' AS channel", "customer_name AS company"]
        fields += [f"{role} AS {field}" for role, field in given if role in one.roles]
        return _step(one, 'command = "lead.capture"', "ltc_id('lead', id)", ", ".join(fields))

    def _deal(self, one: Recognised) -> str:
        title = next((f"coalesce({role}, customer_name)" for role in ("title", "name") if role in one.roles), "customer_name")
        changes = '["opportunity.change_amount", "opportunity.change_title"]'
        head = f'if_new = "opportunity.open"\nif_changed = {changes}\nvanished = "report"'
        changed = "changed, " if "changed" in one.roles else ""
        return _step(one, head, "ltc_id('opportunity', id)", f"{changed}{title} AS title, amount, currency")

    def _order(self, one: Recognised, subject: str) -> str:
        fields = f"'Brought in from an export' AS reason, currency,\n  {_LINE}"
        return _step(one, 'command = "order.place"', subject, fields)


_ORDER = {"customers": "1", "leads": "2", "pipeline": "3", "orders": "4", "invoices": "5", "payments": "6"}


def _step(one: Recognised, head: str, subject: str, fields: str) -> str:
    return _text(one, head, f"{_BASE.format(subject=subject)},\n  {fields}")


def _text(one: Recognised, head: str, columns: str) -> str:
    return f'/*\nrows = "{one.name}"\n{head}\n*/\nSELECT {columns}\nFROM {_sql(one.name)}\n'


def _head(one: Recognised, name: str) -> list[str]:
    return ["[[controls]]", f'name = "{name}"', f'rows = "{one.name}"', 'against = "ledger"']


def _date(column: Column) -> str:
    return f"ltc_date({_sql(column.name)}, '{column.form}')"


def _amount(column: Column) -> str:
    mark = f", '{column.mark}'" if column.mark else ""
    return f"ltc_amount({_sql(column.name)}, '{column.form}'{mark})"


def _sql(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _toml(text: str) -> str:
    escaped = "".join(f"\\u{ord(one):04x}" if ord(one) < 32 or one in '"\\' or one == "\x7f" else one for one in text)
    return f'"{escaped}"'


def _plain(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())
