"""Every mistake of a mapping is found before a row is read, and told with its file, line, column and way out."""

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.mappings import write_mapping

from ltc_events.importing.errors import DataUnusable, MappingInvalid, Mistake
from ltc_events.importing.plan import Plan, prepare
from ltc_events.importing.preview import Preview, preview

MAPPING = """name = "shop"
currency = "EUR"

[sources.orders]
path = "orders.csv"

[sources.items]
path = "items.csv"

[maps.channel]
Web = "web_form"

[[policies]]
kind = "required_fields"
time = 2020-01-01
content = { lead = [], customer = ["name"] }

[[controls]]
name = "orders"
rows = "orders"
sum = "total"
event = "order.placed"
field = "net"
"""
FILES = {
    "tables_orders": """
SELECT No AS id, Customer AS name, ltc_id('customer', Customer) AS customer, ltc_date("Date", '%Y-%m-%d') AS ordered,
  ltc_amount(Total, '1234.56') AS total
FROM orders
""",
    "tables_lines": """
SELECT "Order" AS order_id, list({'line': 1, 'sku': SKU, 'description': SKU, 'quantity': 1,
  'unit_price': ltc_amount(Price, '1234.56'), 'tax_rate': 0}) AS lines
FROM items GROUP BY "Order"
""",
    "steps_1_register": """
rows = "orders"
command = "customer.register"
once = true

SELECT customer AS subject, ordered AS time, {'name': name} AS profile
FROM orders
""",
    "steps_2_place": """
rows = "orders"
command = "order.place"

SELECT ltc_id('order', id) AS subject, customer, ordered AS time, 'shop' AS reason, 'EUR' AS currency,
  lines
FROM orders LEFT JOIN lines ON order_id = id
""",
}


def plan(folder: Path, toml: str = MAPPING, **files: str) -> Plan:
    """Prepare a mapping for two small files."""
    (folder / "orders.csv").write_text("No,Customer,Via,Date,Total\n1,A,Web,2024-01-01,3.00\n", encoding="utf-8")
    (folder / "items.csv").write_text("Order,SKU,Price\n1,X,3.00\n", encoding="utf-8")
    with ExitStack() as stack:
        return prepare(write_mapping(folder / "shop", toml, **{**FILES, **files}), folder, stack)


def mistakes(folder: Path, toml: str = MAPPING, **files: str) -> list[Mistake]:
    with pytest.raises(MappingInvalid) as bad:
        plan(folder, toml, **files)
    assert all(one.fix and str(one) in bad.value.message for one in bad.value.mistakes)
    return bad.value.mistakes


def test_a_mapping_without_mistakes_is_compiled(tmp_path: Path) -> None:
    made = plan(tmp_path)
    assert ([one.name for one in made.tables], len(made.passes), len(made.controls)) == (["lines", "orders"], 1, 1)
    assert [step.type for step in made.passes[0].steps] == ["customer.register.v1", "order.place.v1"]
    assert len(made.policies) == 1
    assert made.envelope.namespace == "shop"


@pytest.mark.parametrize(
    ("old", "new", "line", "problem", "fix"),
    [
        ('name = "shop"\n', "", 0, "name is missing", "add name = …"),
        ('currency = "EUR"', "file = 1", 2, "file is not a key that mappings have", "use one of name"),
        ('path = "items.csv"', 'pth = "items.csv"', 8, "sources.items.pth is not a key", "did you mean path?"),
        ("time = 2020-01-01", "time = 1.5", 0, "1.5 is a number that computers round", "quotes"),
        ('name = "shop"', 'name = "shop', 1, "is not TOML", "toml.io"),
        ("[sources.items]", "[sources.Items]", 7, "Items is not a name", "lower case"),
        ('currency = "EUR"', 'timezone = "Berlin"', 2, "'Berlin' is not a time zone", "docs/import.md"),
        ('path = "items.csv"', 'path = "items.csv"\nencoding = "utf8x"', 9, "'utf8x' is not an encoding", "docs/import.md"),
        ('kind = "required_fields"', 'kind = "required_field"', 0, "is no kind of policy", "did you mean required_fields?"),
        ('customer = ["name"]', "customer = 7", 0, "policy required_fields", "give what the policy needs"),
        ('event = "order.placed"', 'event = "order.place"', 0, "order.place is no event", "did you mean order.placed?"),
        ('field = "net"', 'field = "lines.nett"', 0, "OrderLine has no field nett", "did you mean net?"),
        ('field = "net"\n', "", 0, "sum and field go together", "neither"),
        ('sum = "total"', 'sum = "totl"', 0, '"totl" not found', "total"),
        ('rows = "orders"\nsum', 'rows = "order"\nsum', 0, "there is no table order", "did you mean orders?"),
    ],
)
def test_a_mistake_in_mapping_toml(tmp_path: Path, old: str, new: str, line: int, problem: str, fix: str) -> None:
    assert old in MAPPING
    found = mistakes(tmp_path, MAPPING.replace(old, new, 1))
    assert any(problem in str(one) and fix in one.fix and one.line == line for one in found), found


@pytest.mark.parametrize(
    ("file", "old", "new", "place", "problem", "fix"),
    [
        ("tables_orders", "Customer AS name", "Custmer AS name", (1, 18), '"Custmer" not found', "Customer"),
        ("tables_orders", "FROM orders", "FROM ordrs", (3, 6), "there is no table ordrs", "did you mean orders?"),
        ("tables_orders", "'1234.56'", "'12.5'", (2, 3), "does not say how 1234.56 is written", "what 1234.56 looks like"),
        (
            "steps_1_register",
            'command = "customer.register"',
            'command = "customer.registr"',
            (1, 0),
            "is no command",
            "register?",
        ),
        ("steps_1_register", "once = true", "one = true", (4, 1), "one is not a key", "did you mean once?"),
        ("steps_1_register", "AS profile", "AS profil", (6, 0), "profil: RegisterCustomer has no such field", "profile?"),
        ("steps_1_register", "{'name'", "{'nam'", (6, 0), "profile.nam: Profile has no such field", "name?"),
        ("steps_1_register", 'rows = "orders"', 'rows = "order"', (1, 1), "there is no table order", "did you mean orders?"),
        (
            "steps_1_register",
            'rows = "orders"',
            'rows = "items"',
            (1, 1),
            "its rows are of orders, and rows says items",
            "FROM items",
        ),
        ("steps_2_place", "ltc_id('order', id) AS subject", "id AS subject", (5, 0), "subject is VARCHAR, not an id", "ltc_id"),
        ("steps_2_place", "ordered AS time, ", "", (1, 0), "time is missing", "AS time"),
        ("steps_2_place", "customer, ordered", "ordered", (1, 0), "customer is missing: order.place.v1", "AS customer"),
        ("steps_2_place", "ordered AS time", "name AS time", (5, 0), "time is VARCHAR, not a time", "ltc_time"),
        ("steps_2_place", "'EUR' AS currency", "'euro' AS currency", (5, 0), "'euro' cannot be", "order.place.v1 takes"),
        ("steps_2_place", "  lines\n", "  'x' AS lines\n", (6, 0), "lines is VARCHAR, and should be a struct", "list({…})"),
        ("tables_lines", "'unit_price': ltc", "'unit_prise': ltc", (1, 0), "lines.unit_prise: ", "did you mean unit_price?"),
    ],
)
def test_a_mistake_in_a_file_of_sql(
    tmp_path: Path, file: str, old: str, new: str, place: tuple[int, int], problem: str, fix: str
) -> None:
    assert old in FILES[file]
    found = mistakes(tmp_path, **{file: FILES[file].replace(old, new, 1)})
    assert any(problem in one.problem and fix in one.fix and one.line == place[0] for one in found), found
    if place[1]:
        assert any(one.column == place[1] for one in found), found


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    found = mistakes(
        tmp_path,
        MAPPING.replace('event = "order.placed"', 'event = "order.place"'),
        steps_1_register=FILES["steps_1_register"].replace("AS profile", "AS profil"),
        steps_2_place=FILES["steps_2_place"].replace("ordered AS time", "orderd AS time"),
    )
    assert {one.file.partition(" ")[0] for one in found} == {"mapping.toml", "steps/1-register.sql", "steps/2-place.sql"}


def test_tables_that_read_each_other_are_a_mistake(tmp_path: Path) -> None:
    found = mistakes(tmp_path, tables_a="SELECT * FROM b", tables_b="SELECT * FROM a")
    assert {one.file for one in found if "reads itself" in one.problem} == {"tables/a.sql", "tables/b.sql"}


def test_a_mapping_that_is_not_there_is_named(tmp_path: Path) -> None:
    with ExitStack() as stack, pytest.raises(MappingInvalid, match=r"mapping\.toml: cannot be read"):
        prepare(tmp_path / "none", tmp_path, stack)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataUnusable, match=r"order\.csv: sources\.orders: there is no such file") as bad:
        plan(tmp_path, MAPPING.replace("orders.csv", "order.csv"))
    assert bad.value.fix == "did you mean orders.csv?"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with ExitStack() as stack, pytest.raises(DataUnusable, match="no such file") as bad:
        prepare(write_mapping(tmp_path / "shop", MAPPING, **FILES), tmp_path / "nowhere", stack)
    assert bad.value.fix == "give the folder of the files"


def follow_ups(folder: Path, *rows: str) -> list[Preview]:
    """Deals with local times in Berlin, and follow-ups that they are due for."""
    (folder / "deals.csv").write_text("\n".join(["id,opened,modified,due", *rows, ""]), encoding="utf-8")
    toml = 'name = "crm"\ncurrency = "EUR"\ntimezone = "Europe/Berlin"\n\n[sources.deals]\npath = "deals.csv"\n'
    form = "'%Y-%m-%d %H:%M'"
    ids = "ltc_id('customer', 'a') AS customer, ltc_date(opened, '%Y-%m-%d') AS time"
    steps = {
        "steps_1_open": f"""
rows = "deals"
if_new = "opportunity.open"
if_changed = "opportunity.change_amount"

SELECT ltc_id('deal', id) AS subject, {ids}, ltc_time(modified, {form}) AS changed, 'x' AS title, 1 AS amount,
  'EUR' AS currency
FROM deals
""",
        "steps_2_follow": f"""
rows = "deals"
command = "lead.schedule_follow_up"

SELECT ltc_id('lead', id) AS subject, {ids}, ltc_id('follow-up', id) AS follow_up_id, ltc_time(due, {form}) AS due_at
FROM deals
""",
    }
    return preview(write_mapping(folder / "crm", toml, **steps), folder, 9)


@pytest.mark.parametrize(
    ("modified", "due", "field"),
    [("2024-03-31 02:30", "2024-04-01 09:00", "changed"), ("2024-04-01 09:00", "2024-03-31 02:30", "due_at")],
)
def test_a_local_time_that_clocks_skipped_is_refused_wherever_it_stands(
    tmp_path: Path, modified: str, due: str, field: str
) -> None:
    [row] = follow_ups(tmp_path, f"1,2024-01-01,{modified},{due}")
    assert row.commands == []
    assert [(one.code, one.field.partition(" ")[0], one.value) for one in row.refused] == [
        ("no_such_time", field, "2024-03-31 02:30:00")
    ]


def test_of_a_local_time_that_clocks_showed_twice_the_first_is_taken(tmp_path: Path) -> None:
    [row] = follow_ups(tmp_path, "1,2024-01-01,2024-10-27 02:30,2024-10-27 02:30")
    assert row.refused == []
    assert [data["due_at"] for _, data in row.commands if "due_at" in data] == ["2024-10-27T00:30:00.000000Z"]
