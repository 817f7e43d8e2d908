"""Mistakes in a mapping are found before anything is done, and named by section, key and fix."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from ltc_events.importing.errors import DataUnusable, MappingInvalid
from ltc_events.importing.plan import Plan, prepare

MAPPING = """
name = "shop"
currency = "EUR"

[maps.channel]
"Web" = "web_form"

[files.orders]
path = "orders.csv"

[files.orders.columns]
id = "No"
customer = "Customer"
channel = { column = "Via", map = "channel" }
ordered = { column = "Date", type = "date" }
total = { column = "Total", type = "number" }

[files.orders.values]
doubled = "total + total"

[files.orders.links]
items = { file = "items", by = "order_id", equals = "id", many = true }

[files.items]
path = "items.csv"

[files.items.columns]
order_id = "Order"
sku = "SKU"
price = { column = "Price", type = "number" }

[files.items.links]
order = { file = "orders", by = "id", equals = "order_id" }

[[prelude]]
command = "policy.publish"
subject = "policy('required_fields')"
time = 2020-01-01
data.content = { kind = "required_fields", lead = [], customer = ["name"] }

[[steps]]
file = "orders"
time = "ordered"
customer = "id('customer', customer)"

[[steps.emit]]
command = "customer.register"
subject = "id('customer', customer)"
once = true
data.profile = { name = "{customer}" }

[[steps.emit]]
command = "order.place"
subject = "id('order', id)"
[steps.emit.data]
reason = "shop"
currency = "EUR"
[steps.emit.data.lines]
each = "items"
item = { line = "{position}", sku = "{sku}", description = "{sku}", quantity = "1", unit_price = "{price}", tax_rate = "0" }

[[controls]]
name = "orders"
file = "orders"
sum = "total"
event = "order.placed"
field = "net"
"""


def plan(folder: Path, mapping: str) -> Plan:
    """Prepare a mapping for two small files."""
    (folder / "shop.toml").write_text(mapping, encoding="utf-8")
    (folder / "orders.csv").write_text("No,Customer,Via,Date,Total,,\n1,A,Web,2024-01-01,3.00,,\n", encoding="utf-8")
    (folder / "items.csv").write_text("Order,SKU,Price\n1,X,3.00\n", encoding="utf-8")
    with ExitStack() as stack:
        return prepare(folder / "shop.toml", folder, stack)


def test_a_mapping_without_mistakes_is_compiled(tmp_path: Path) -> None:
    made = plan(tmp_path, MAPPING)
    assert (len(made.prelude), len(made.steps), len(made.controls)) == (1, 1, 1)
    assert made.mapping.namespace == "shop"


@pytest.mark.parametrize(
    ("old", "new", "where", "problem", "fix"),
    [
        ('name = "shop"', "", "name", "is missing", "add name = …"),
        ('name = "shop"', 'name = "shop"\nfile = 1', "file", "is not a key that mappings have", "did you mean files?"),
        ("many = true", "many = true, fild = 1", "files.orders.links.items.fild", "is not a key", "did you mean file?"),
        ('type = "date"', 'type = "day"', "files.orders.columns.ordered.type", "'date'", "docs/import.md"),
        ("time = 2020-01-01", "time = 2020-01-01\nx = 1.5", "TOML", "1.5 is a number that computers round", "quotes"),
        ('name = "shop"', 'name = "shop', "TOML", "line 2", "toml.io"),
        ('id = "No"', 'Id = "No"', "files.orders.columns.Id", "Id is not a name", "lower case"),
        ('id = "No"', 'id = "Nr"', "files.orders.columns.id", "orders.csv has no column 'Nr'", "use one of No, Customer"),
        ('id = "No"', "id = 9", "files.orders.columns.id", "orders.csv has no column 9", "from 1 to 7"),
        ('id = "No"', 'id = ""', "files.orders.columns.id", "the column '' more than once", "give its number: 6 and 7"),
        ('id = "No"', 'id = "No"\nparent = "No"', "files.orders.columns.parent", "means something else", "another name"),
        ("doubled =", "total =", "files.orders.values.total", "total stands twice", "another name"),
        ('"total + total"', '"totl + total"', "files.orders.values.doubled", "there is no totl", "did you mean total?"),
        (
            '"total + total"',
            '"doubled + 1"',
            "files.orders.values.doubled",
            "in a circle: orders.doubled → orders.doubled",
            "columns",
        ),
        (
            ', map = "channel"',
            ', map = "chanel"',
            "files.orders.columns.channel",
            "there is no maps.chanel",
            "did you mean channel?",
        ),
        ('type = "date" }', 'type = "date", formats = "%d.%m" }', "files.orders.columns.ordered", "needs a year", "formats"),
        (
            'type = "number" }',
            'type = "number", formats = "12.5" }',
            "files.orders.columns.total",
            "how 1234.56 is written",
            "formats",
        ),
        ('type = "number" }', 'type = "number", default = "-" }', "files.orders.columns.total", "'-' is not a number", "1234.56"),
        ('currency = "EUR"\n\n', 'timezone = "Berlin"\n\n', "timezone", "'Berlin' is not a time zone", "docs/import.md"),
        ('currency = "EUR"\n\n', 'encoding = "utf8x"\n\n', "encoding", "'utf8x' is not an encoding", "docs/import.md"),
        ('file = "items", by', 'file = "item", by', "files.orders.links.items", "there is no files.item", "did you mean items?"),
        (
            'by = "order_id"',
            'by = "order"',
            "files.orders.links.items",
            "order is a row of orders, but id is a text",
            "same type",
        ),
        ('by = "order_id"', 'by = ["order_id", "sku"]', "files.orders.links.items", "by has 2 names, equals has 1", "as many"),
        (
            'equals = "id"',
            'equals = "total"',
            "files.orders.links.items",
            "order_id is a text, but total is a number",
            "same type",
        ),
        (
            '[[steps]]\nfile = "orders"',
            '[[steps]]\nfile = "order"',
            "steps[1].file",
            "there is no files.order",
            "did you mean orders?",
        ),
        (
            '"customer.register"',
            '"customer.registr"',
            "steps[1] (orders).emit[1]",
            "is no command",
            "did you mean customer.register?",
        ),
        (
            "data.profile = {",
            "data.profil = {",
            "steps[1] (orders).emit[1]",
            "data.profil: RegisterCustomer has no",
            "did you mean profile?",
        ),
        (
            "profile = { name",
            "profile = { nam",
            "steps[1] (orders).emit[1]",
            "data.profile.nam: Profile has no such field",
            "name",
        ),
        (
            '"{customer}" }',
            '"{custome}" }',
            "steps[1] (orders).emit[1]",
            "data.profile.name: `custome`: there is no custome",
            "customer",
        ),
        ('unit_price = "{price}", ', "", "steps[1] (orders).emit[2]", "data.lines.item.unit_price is missing", "add unit_price"),
        (
            'each = "items"',
            'each = "doubled"',
            "steps[1] (orders).emit[2]",
            "data.lines.each: doubled is a number",
            "many = true",
        ),
        ("item = { line", "itm = { line", "steps[1] (orders).emit[2]", "data.lines.itm is not known", "item"),
        ('sku = "{sku}", d', 'sku = "{items}", d', "steps[1] (orders).emit[2]", "there is no items here", "use one of order_id"),
        (
            "subject = \"id('order', id)\"",
            'subject = "id"',
            "steps[1] (orders).emit[2]",
            "subject: id is a text, not an id",
            "id('kind'",
        ),
        ('time = "ordered"\n', "", "steps[1] (orders).emit[1]", "time is missing", "say when it happened"),
        ('time = "ordered"', 'time = "customer"', "steps[1] (orders).emit[1]", "time: customer is a text", 'type = "time"'),
        (
            "customer = \"id('customer', customer)\"\n",
            "",
            "steps[1] (orders).emit[2]",
            "order.place.v1 belongs to a customer",
            "add customer",
        ),
        (
            'customer = ["name"]',
            'customer = "name"',
            "prelude[1] policy.publish",
            "data.content",
            "give what policy.publish.v1 needs",
        ),
        ("time = 2020-01-01", 'time = "soon"', "prelude[1] policy.publish", "soon is not a time", "2024-01-31T12:00:00Z"),
        (
            'event = "order.placed"',
            'event = "order.place"',
            "controls[1] orders",
            "order.place is no event",
            "did you mean order.placed?",
        ),
        ('field = "net"', 'field = "lines.nett"', "controls[1] orders", "OrderLine has no field nett", "did you mean net?"),
        ('field = "net"', "", "controls[1] orders", "sum and field go together", "neither"),
        ('path = "orders.csv"', 'path = "order.csv"', "", "files.orders: there is no such file", "did you mean orders.csv?"),
    ],
)
def test_a_mistake_is_named_by_its_place_and_its_fix(
    tmp_path: Path, old: str, new: str, where: str, problem: str, fix: str
) -> None:
    assert old in MAPPING
    with pytest.raises((MappingInvalid, DataUnusable)) as bad:
        plan(tmp_path, MAPPING.replace(old, new, 1))
    assert bad.value.message.startswith(f"shop.toml: {where}" if where else "order.csv: ")
    assert problem in bad.value.message
    assert fix in bad.value.fix


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with ExitStack() as stack, pytest.raises(MappingInvalid, match="cannot be read") as bad:
        prepare(tmp_path / "none.toml", tmp_path, stack)
    assert "give the path" in bad.value.fix


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "shop.toml").write_text(MAPPING, encoding="utf-8")
    with ExitStack() as stack, pytest.raises(DataUnusable, match="no such file") as bad:
        prepare(tmp_path / "shop.toml", tmp_path / "nowhere", stack)
    assert bad.value.fix == "give the folder of the files"
