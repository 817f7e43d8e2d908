"""`ltc projections` as an operator uses it: prove a table, rebuild it, look at the difference, switch, go back, drop."""

from collections.abc import Iterator
from typing import Any

import pytest
from tests.company import found_company
from tests.e2e.test_cli import Ltc

from ltc_events.projections.tables.journal import Journal
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.store import Database, Role


@pytest.fixture(scope="module")
def place(server: Any) -> Iterator[Database]:
    name = server.create()
    database = server.at(name)
    found_company(database, customers=20, days=365)
    yield database
    server.drop(name)


@pytest.fixture(scope="module")
def ltc(place: Database) -> Ltc:
    return Ltc(LTC_DATABASE_URL=place.conninfo)


def test_the_life_of_a_read_table(place: Database, ltc: Ltc) -> None:
    digests = ltc.json("projections", "digest")["digests"]
    assert len({one["sha256"] for one in digests}) == len(digests)
    proof = ltc.json("projections", "verify", "open_items")
    first, anew = f"v{OpenItems.version}", f"v{OpenItems.version}b1"
    assert (proof["equal"], proof["build"], proof["differences"]) == (True, first, [])
    assert {"live": proof["digest"]["live"], "afresh": proof["digest"]["live"]} == proof["digest"]

    with place.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute(
            b"UPDATE ltc_read.open_items__v2 SET number = 'X-1' WHERE (item_id, instalment) ="
            b" (SELECT item_id, instalment FROM ltc_read.open_items ORDER BY 1, 2 LIMIT 1)"
        )
    proof = ltc.json("projections", "verify", "open_items", exits=1)
    (difference,) = proof["differences"]
    assert list(difference["columns"]) == ["number"]
    assert difference["columns"]["number"]["live"] == "X-1"
    assert difference["last_event"]["position"] <= proof["position"]
    assert b"X-1" in ltc("projections", "verify", "open_items", exits=1).stdout

    assert ltc.json("projections", "rebuild", "open_items", exits=1)["error"]["code"] == "already_built"
    built = ltc.json("projections", "rebuild", "open_items", "--anew", "--by", "ann")
    assert (built["build"], built["left_out"]) == (anew, {"skipped": [], "parked": {}})
    seen = ltc.json("projections", "diff", "open_items", first, anew)
    assert (seen["by_column"], seen["changed"], seen["differences"][0]["key"]) == ({"number": 1}, 1, difference["key"])
    assert b"open_items" in ltc("projections", "diff", "open_items", first, anew).stdout
    refused = ltc.json("projections", "switch", "open_items", exits=1)["error"]
    assert (refused["code"], "1 × number" in refused["message"]) == ("unexplained", True)
    ltc("projections", "switch", "open_items", "--force", exits=2)
    ltc("projections", "switch", "open_items", "--force", "--reason", " ", exits=2)
    ltc("projections", "switch", "open_items", "--force", "--reason", "mended", "--by", "ann")
    assert ltc.json("projections", "verify", "open_items")["build"] == anew
    assert ltc.json("doctor")["healthy"]
    assert ltc.json("report", "receivables-aging")["position"] == proof["position"]

    assert ltc.json("projections", "switch", "open_items", "--back")["now"] == first
    assert ltc.json("projections", "switch", "open_items", "--back")["now"] == anew
    assert ltc.json("projections", "drop", "open_items", anew, exits=1)["error"]["code"] == "in_use"
    ltc("projections", "drop", "open_items", first, "--reason", "no longer needed")
    told = ltc.json("projections", "status", "open_items")
    assert [(one["build"], one["life"]) for one in told["projections"]] == [(1, "shown")]
    assert (told["transitions"][-1]["state"], told["transitions"][-1]["reason"]) == ("dropped", "no longer needed")
    begun = next(one for one in told["transitions"] if (one["state"], one["made_by"]) == ("filling", "ann"))
    assert begun["reason"] == "", "none was given, and none is invented"
    assert b"no longer needed" in ltc("projections", "status", "open_items").stdout
    assert ltc.json("projections", "catch-up")["position"] == proof["position"]


def test_a_whole_table_is_proved_by_its_digest_again(ltc: Ltc) -> None:
    before = ltc.json("projections", "digest", "journal")["digests"][0]
    ltc("projections", "rebuild", "journal", "--anew")
    ltc("projections", "switch", "journal")
    after = ltc.json("projections", "digest", "journal")["digests"][0]
    assert (after["sha256"], after["rows"], after["build"]) == (before["sha256"], before["rows"], f"v{Journal.version}b1")
    assert ltc("projections", "digest", "journal").stdout.startswith(after["sha256"].encode())


def test_mistakes_are_answered_with_what_helps(ltc: Ltc) -> None:
    assert ltc.json("projections", "verify", "open_itmes", exits=1)["error"]["code"] == "unknown_projection"
    assert ltc.json("projections", "cancel", "quotes", exits=1)["error"]["code"] == "nothing_to_cancel"
    assert ltc.json("projections", "diff", "quotes", "v1", "v9", exits=1)["error"]["code"] == "no_such_build"
    assert ltc.json("projections", "drop", "quotes", "newest", exits=1)["error"]["code"] == "no_such_build"


def test_several_tables_are_rebuilt_by_one_command(ltc: Ltc) -> None:
    before = ltc.json("projections", "digest", "leads")["digests"][0]["sha256"]
    done = ltc.json("projections", "rebuild", "leads", "quotes", "orders", "--anew", "--processes", "2")
    assert [(one["name"], one["state"]) for one in done] == [("leads", "ready"), ("quotes", "ready"), ("orders", "ready")]
    ltc("projections", "switch", "leads")
    assert ltc.json("projections", "digest", "leads")["digests"][0]["sha256"] == before
    assert ltc.json("projections", "verify", "--all")["equal"]
    ltc("projections", "rebuild", exits=2)
    ltc("projections", "rebuild", "leads", "--all", exits=2)
