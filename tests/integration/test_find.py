"""What a number, name, reference or id means is found, whatever it is, and by an index."""

import json
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import pytest
from tests.small_company import Company, id_of
from tests.tables.documents import ISSUED

from ltc_events.querying.finding import Candidate, NothingFound, SeveralFound, find, the_one
from ltc_events.schemas.customer import ContactAdded, Profile, ProfileUpdated
from ltc_events.store import Database, EventStore, Role


@pytest.fixture
def company(database: Database, event_store: EventStore) -> Company:
    """Three customers, two of one name; Acme has a lead, a deal and two invoices."""
    company = Company(database, event_store)
    company.customer("Acme")
    company.customer("Müller & Söhne GmbH")
    company.record("Acme", ContactAdded(contact_id=uuid4(), name="Grace Hopper", email="grace@acme.example"), on="2026-01-02")
    company.capture("lead 1", on="2026-01-10", references={"crm": "2680537112"})
    company.open("deal", on="2026-01-11", title="Pumps for the mill", references={"crm": "OPP-9"})
    for name, number, reference in (("invoice 1", "INV-2026-000001", "2680537112"), ("invoice 2", "INV-2026-000012", "A-77")):
        company.record(name, ISSUED.model_copy(update={"number": number, "references": {"erp": reference}}), on="2026-02-01")
    company.follow()
    return company


def found(company: Company, text: str, limit: int = 50) -> list[Candidate]:
    with company.database.connect(Role.READER) as connection:
        return find(connection, text, limit).found


def told(company: Company, text: str) -> list[tuple[str, str, str, str | None]]:
    return [(one.kind, one.called, one.means, one.customer) for one in found(company, text)]


def test_a_number_of_ours_or_of_another_system(company: Company) -> None:
    assert told(company, "INV-2026-000012") == [("invoice", "INV-2026-000012", "number", "Acme")]
    assert told(company, "inv 2026 000012") == told(company, "000012") == told(company, "INV-2026-000012")
    assert sorted(told(company, "2680537112")) == [
        ("invoice", "INV-2026-000001", "reference", "Acme"),
        ("lead", "Acme", "reference", "Acme"),
    ]


def test_names_are_found_by_any_word_and_without_accents(company: Company) -> None:
    expected = [("customer", "Müller & Söhne GmbH", "name", "Müller & Söhne GmbH")]
    assert told(company, "muller") == told(company, "SÖHNE") == told(company, "sohne gmbh") == expected
    assert [(one.kind, one.means) for one in found(company, "hopper")] == [("customer", "contact")]
    assert [(one.kind, one.means) for one in found(company, "grace@acme")] == [("customer", "email")]
    assert [one.kind for one in found(company, "the mill")] == ["opportunity"]


def test_what_is_called_so_comes_first(company: Company) -> None:
    assert {(one.kind, one.term) for one in found(company, "acme")} == {("customer", "Acme"), ("lead", "Acme")}
    company.customer("Old Acme")
    company.customer("Acme Tools")
    company.follow()
    assert [one.term for one in found(company, "acme")] == ["Acme", "Acme", "Acme Tools", "Old Acme"]


def test_an_id_is_found_with_whatever_it_is_called(company: Company) -> None:
    (one,) = found(company, str(id_of("deal")))
    assert (one.kind, one.called, one.means) == ("opportunity", "Pumps for the mill", "id")
    assert found(company, str(id_of("deal"))[:13])[0] == one


def test_a_renamed_customer_is_found_by_both_names(company: Company) -> None:
    company.record("Acme", ProfileUpdated(profile=Profile(name="Zenith")), on="2026-03-01")
    company.follow()
    assert [(one.called, one.term) for one in found(company, "zenith")] == [("Zenith", "Zenith")]
    assert ("customer", "Zenith") in {(one.kind, one.called) for one in found(company, "acme")}


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "'; DROP TABLE x; --", "\u202e", "\x00", "x" * 5000])
def test_absurd_texts_find_nothing(company: Company, text: str) -> None:
    with pytest.raises(NothingFound):
        found(company, text)


def test_the_nearest_is_named(company: Company) -> None:
    with pytest.raises(NothingFound) as refused:
        found(company, "Mullar & Söhne GmbH")
    assert "Müller & Söhne GmbH" in refused.value.fix
    with pytest.raises(NothingFound) as refused:
        found(company, "INV-2026-000013")
    assert "INV-2026-000012" in refused.value.fix


def test_one_of_a_kind(company: Company) -> None:
    with company.database.connect(Role.READER) as connection:
        assert the_one(connection, "invoice", "2680537112") == id_of("invoice 1")
        assert the_one(connection, "lead", "2680537112") == id_of("lead 1")
        with pytest.raises(NothingFound):
            the_one(connection, "order", "2680537112")
    company.record(
        "invoice 3", ISSUED.model_copy(update={"number": "INV-2026-000099", "references": {"x": "2680537112"}}), on="2026-02-01"
    )
    company.follow()
    with company.database.connect(Role.READER) as connection, pytest.raises(SeveralFound, match="2 things are a invoice"):
        the_one(connection, "invoice", "2680537112")


def plans(company: Company, text: str) -> list[dict[str, Any]]:
    """How the server looks for a term, where there are many."""
    from ltc_events.querying.finding import _SQL

    with company.database.connect(Role.OWNER, autocommit=True) as owner:
        owner.execute("ANALYZE ltc_read.search_terms__v1")
        owner.execute("SET enable_sort = off")
        given = {"form": text, "kind": None, "limit": 10, "subjects": [], "customers": []}
        return [
            owner.execute(b"EXPLAIN (FORMAT JSON) " + _SQL[name], given).fetchone()[0][0]["Plan"]  # type: ignore[index]
            for name in ("from_term", "before_term", "exactly")
        ]


def test_it_is_found_by_an_index(company: Company) -> None:
    for number in range(300):
        company.capture(f"other {number}", on="2026-01-10", customer="Acme", references={"crm": f"company {number}"})
    company.follow()
    for plan in plans(company, "company 17"):
        assert "search_term" in json.dumps(plan)
        assert "Seq Scan" not in json.dumps(plan)


def ltc(database: Database, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LTC_DATABASE_URL": database.conninfo, "LTC_LOG_FORMAT": "console"}
    command = [sys.executable, "-m", "ltc_events", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_the_line(company: Company) -> None:
    document = json.loads(ltc(company.database, "find", "söhne", "--json").stdout)
    (one,) = document["candidates"]
    assert (one["kind"], one["called"], one["id"]) == ("customer", "Müller & Söhne GmbH", str(id_of("Müller & Söhne GmbH")))
    shown = ltc(company.database, "find", "2680537112", "--limit", "1")
    assert (shown.returncode, "2680537112" in shown.stdout) == (0, True)
    assert "there are more" in shown.stderr
    assert ltc(company.database, "find", "nobody of that name").returncode == 1
