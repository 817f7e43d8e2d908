"""Files landed by Airbyte, dlt or Singer are imported as they are, by the recipes of docs/import.md; the next load follows."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from tests.integration.test_import_monthly import accepted, of
from tests.mappings import write_mapping

from ltc_events.application.clock import SystemClock
from ltc_events.importing import Reconciliation, run_import
from ltc_events.store import EventStore

DOCS = (Path(__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
RECIPES = dict(re.findall(r'^```sql title="(\w+): tables/deals\.sql"\n(.*?)^```$', DOCS, re.MULTILINE | re.DOTALL))

MAPPING = """
name = "landed"
currency = "EUR"

[sources.deals]
path = "{path}"

[[policies]]
kind = "required_fields"
time = 2020-01-01
content = {{ lead = [], customer = ["name"] }}

[[controls]]
name = "worth"
rows = "deals"
sum = "amount"
against = "ledger"
subject = "ltc_id('deal', id)"
state = "opportunity"
field = "amount"
"""
REGISTER = """
rows = "deals"
command = "customer.register"
once = true

SELECT ltc_id('customer', name) AS subject, opened AS time, {'name': name} AS profile FROM deals
"""
OPEN = """
rows = "deals"
if_new = "opportunity.open"
if_changed = "opportunity.change_amount"

SELECT ltc_id('deal', id) AS subject, ltc_id('customer', name) AS customer, opened AS time, modified AS changed,
  'Deal ' || id AS title, amount, 'EUR' AS currency
FROM deals
"""

Rows = list[dict[str, Any]]
FIRST: Rows = [
    {"id": 1, "customer": "Ada", "amount": 100.10, "opened": "2024-01-02", "changed": "2024-01-02"},
    {"id": 2, "customer": "Bea", "amount": 200, "opened": "2024-01-03", "changed": "2024-01-03"},
]
SECOND: Rows = [
    {"id": 1, "customer": "Ada", "amount": 150.55, "opened": "2024-01-02", "changed": "2024-02-02"},
    {"id": 3, "customer": "Cid", "amount": 0.10, "opened": "2024-02-03", "changed": "2024-02-03"},
]
PARQUET_OF_AIRBYTE = RECIPES["dlt"].replace("_dlt_load_id", "_airbyte_extracted_at")
"""Fields stand as columns there, too."""


def lines(path: Path, rows: Rows) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


def airbyte(folder: Path, load: int, rows: Rows) -> None:
    meta = {"_airbyte_extracted_at": 1_706_000_000_000 + load, "_airbyte_generation_id": 0}
    landed = [{"_airbyte_raw_id": f"{load}-{row['id']}", **meta, "_airbyte_data": row} for row in rows]
    lines(folder / "deals" / f"2024_{load}_0.jsonl", landed)


def airbyte_parquet(folder: Path, load: int, rows: Rows) -> None:
    (folder / "deals").mkdir(exist_ok=True)
    texts = [
        {**row, "amount": f"{row['amount']:.2f}", "_airbyte_raw_id": f"{load}-{row['id']}", "_airbyte_extracted_at": load}
        for row in rows
    ]
    pa.parquet.write_table(pa.Table.from_pylist(texts), folder / "deals" / f"2024_{load}_0.parquet")


def dlt(folder: Path, load: int, rows: Rows) -> None:
    (folder / "deals").mkdir(exist_ok=True)
    with gzip.open(folder / "deals" / f"170600000{load}.12.abc{load}.jsonl.gz", "wt", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps({**row, "_dlt_load_id": f"170600000{load}.12", "_dlt_id": f"x{load}{row['id']}"}) + "\n")


def singer(folder: Path, load: int, rows: Rows) -> None:
    schema = {
        "type": "SCHEMA",
        "stream": "deals",
        "schema": {"properties": {"id": {"type": "integer"}}},
        "key_properties": ["id"],
    }
    records = [
        {"type": "RECORD", "stream": "deals", "record": row, "time_extracted": f"2024-0{load}-28T00:00:00Z"} for row in rows
    ]
    other = {"type": "RECORD", "stream": "users", "record": {"id": 1, "name": "not a deal"}}
    lines(folder / "deals" / "out.jsonl", [schema, other, *records, {"type": "STATE", "value": {"deals": load}}])


@pytest.mark.parametrize(
    ("land", "recipe", "pattern"),
    [
        (airbyte, "airbyte", "deals/*.jsonl"),
        (airbyte_parquet, "", "deals/*.parquet"),
        (dlt, "dlt", "deals/*.jsonl.gz"),
        (singer, "singer", "deals/*.jsonl"),
    ],
)
def test_two_loads(
    land: Callable[[Path, int, Rows], None], recipe: str, pattern: str, event_store: EventStore, tmp_path: Path
) -> None:
    table = RECIPES[recipe] if recipe else PARQUET_OF_AIRBYTE
    mapping = write_mapping(
        tmp_path / "landed", MAPPING.format(path=pattern), tables_deals=table, steps_1_register=REGISTER, steps_2_open=OPEN
    )

    def load(number: int, rows: Rows) -> Reconciliation:
        if rows:
            land(tmp_path, number, rows)
        result = run_import(mapping, tmp_path, event_store, SystemClock())
        assert result.refused_rows == []
        assert (result.complete, result.balanced) == (True, True)
        return result

    first = load(1, FIRST)
    assert of(accepted(first) | {"policy.publish.v1": 0}, policy__publish=0, customer__register=2, opportunity__open=2)
    assert str(first.controls[0].ledger) == "300.10"
    second = load(2, SECOND)
    assert of(accepted(second), customer__register=1, opportunity__open=1, opportunity__change_amount=1)
    assert str(second.controls[0].ledger) == "350.65"
    head = event_store.head()
    assert accepted(load(3, [])) == {}
    assert event_store.head() == head
