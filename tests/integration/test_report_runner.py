"""What every report has in common: what it may look at, whom it asks, and in which forms it leaves the house."""

import csv
import io
import json
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from tests.small_company import Company, figures, id_of, line, priced

from ltc_events.kernel.search_form import search_form
from ltc_events.projections.following.store_runner import open_runner
from ltc_events.projections.tables.leads import Leads
from ltc_events.projections.tables.registry import PROJECTIONS
from ltc_events.reports.customers import NEIGHBOURS, neighbours
from ltc_events.reports.errors import (
    CustomerAmbiguous,
    CustomerUnknown,
    InvalidMoment,
    InvalidParameter,
    ParameterMissing,
    ParquetUnavailable,
    ReadTablesMissing,
    UnknownParameter,
    UnknownReport,
)
from ltc_events.reports.registry import all_reports
from ltc_events.reports.render import write_csv, write_json, write_parquet, write_table
from ltc_events.reports.runner import Answer, run
from ltc_events.schemas.campaign import CampaignCostRecorded, CampaignPlanned
from ltc_events.schemas.customer import ContactAdded, CustomerRegistered, Profile, ProfileUpdated, ReferenceLinked
from ltc_events.schemas.follow_up import FirstResponseRecorded, FollowUpCompleted, FollowUpScheduled
from ltc_events.schemas.lead import Channel, LeadAssigned
from ltc_events.schemas.opportunity import AmountChanged, LossReason, OpportunityLost
from ltc_events.schemas.quote import QuoteAccepted, QuoteDrafted, QuoteSent
from ltc_events.store import Database, EventStore, Role

DAY = "2026-03-31"


@pytest.fixture
def company(database: Database, event_store: EventStore) -> Company:
    return Company(database, event_store)


def first_quarter(company: Company) -> None:
    """A bit of everything on the sales side, up to the end of March."""
    company.customer("Acme", industry="mining")
    company.record(
        "Fair",
        CampaignPlanned(
            title="Fair",
            channel=Channel.EXHIBITION,
            budget=Decimal(9),
            currency="EUR",
            starts_on=date(2026, 1, 1),
            ends_on=date(2026, 2, 1),
        ),
        CampaignCostRecorded(cost_id=uuid4(), amount=Decimal(7), currency="EUR", channel=Channel.EXHIBITION),
        on="2026-01-01",
        customer=None,
    )
    for name in ("L1", "L2", "L3"):
        company.capture(name, on="2026-01-10", channel=Channel.EXHIBITION, campaign_id=id_of("Fair"))
    company.record("L3", FollowUpScheduled(follow_up_id=id_of("F"), due_at=datetime(2026, 2, 1, tzinfo=UTC)), on="2026-01-11")
    company.qualify("L1", on="2026-01-12")
    company.convert("L1", "D1", on="2026-01-20", amount="500", channel=Channel.EXHIBITION)
    company.move("D1", "prospecting", "proposal", on="2026-02-20")
    company.open("D2", on="2026-01-05", amount="300")
    lost = OpportunityLost(from_stage="prospecting", amount=Decimal(300), currency="EUR", reason=LossReason.PRICE)
    company.record("D2", lost, on="2026-03-01")
    draft = QuoteDrafted(
        currency="EUR", valid_until=date(2026, 12, 31), requested_on=date(2026, 2, 20), opportunity_id=id_of("D1")
    )
    company.record("Q1", draft, priced(line(1, "PUMP", "5", "100", {"volume": "25"})), QuoteSent(revision=1), on="2026-02-21")


def back_dated(company: Company) -> None:
    """News that all concern the first quarter."""
    company.record("Acme", ProfileUpdated(profile=Profile(name="Acme Ltd", industry="energy")), on="2026-01-02")
    company.record("Acme", ReferenceLinked(system="crm", reference="4711"), on="2026-01-02")
    company.record("Acme", ContactAdded(contact_id=uuid4(), name="Ada"), on="2026-01-02")
    company.record(
        "Fair",
        CampaignCostRecorded(cost_id=uuid4(), amount=Decimal(70), currency="EUR", channel=Channel.EXHIBITION),
        on="2026-01-03",
        customer=None,
    )
    company.capture("L4", on="2026-01-04", channel=Channel.EXHIBITION)
    company.qualify("L2", on="2026-01-13")
    company.record("L3", FirstResponseRecorded(by="Otto", in_time=False), on="2026-01-14")
    company.record("L3", FollowUpCompleted(follow_up_id=id_of("F")), on="2026-01-31")
    company.record("L1", LeadAssigned(owner="Otto", rule="manual", rule_version=0), on="2026-01-13")
    company.record("D1", AmountChanged(was=Decimal(500), amount=Decimal(900), currency="EUR"), on="2026-02-01")
    company.move("D1", "proposal", "negotiation", on="2026-02-25")
    company.open("D3", on="2026-01-05", amount="11")
    company.open("D4", on="2026-01-05", amount="12")
    lost = OpportunityLost(from_stage="prospecting", amount=Decimal(12), currency="EUR", reason=LossReason.TIMING)
    company.record("D4", lost, on="2026-03-02")
    company.record("Q1", QuoteAccepted(revision=1, net=Decimal(475), currency="EUR"), on="2026-02-28")


SALES = (
    "funnel", "channels", "speed-to-lead", "worklist", "pipeline", "stage-durations", "loss-reasons", "quote-turnaround",
    "leakage", "customer",
)  # fmt: skip


def json_text(answer: Answer) -> str:
    stream = io.StringIO()
    write_json(answer, stream)
    return stream.getvalue()


def table_lines(answer: Answer, *, width: int = 120, rows_max: int | None = None) -> list[str]:
    stream = io.StringIO()
    write_table(answer, Console(file=stream, width=width), rows_max=rows_max)
    return stream.getvalue().splitlines()


def documents(company: Company, known_at: int | datetime | None = None) -> dict[str, Any]:
    """All reports of the first quarter, with their parameters' defaults, ready to be compared."""
    found = {}
    for report in all_reports():
        given = {"customer": id_of("Acme")} if report.name == "customer" else {}
        document = json.loads(json_text(company.report(report.name, as_of=DAY, known_at=known_at, **given)))
        del document["known_at"]
        found[report.name] = document
    return found


def test_back_dating_changes_no_report_that_somebody_has_already_seen(company: Company, event_store: EventStore) -> None:
    first_quarter(company)
    seen = documents(company)
    position, recorded_at = event_store.head()
    back_dated(company)

    assert documents(company, known_at=position) == seen
    assert documents(company, known_at=recorded_at) == seen
    today = documents(company)
    assert [name for name in SALES if today[name]["rows"] == seen[name]["rows"]] == []


def test_a_time_before_the_first_event_knows_nothing(company: Company) -> None:
    position = company.capture("L1", on="2026-01-10")
    result = company.report("funnel", known_at="2020-01-01")
    assert (result.position, result.known_at) == (0, datetime(2020, 1, 1, 23, 59, 59, 999999, UTC))
    assert figures(result, "leads")[0] == (0,)
    assert company.report("funnel", known_at=str(position)).position == position


def test_a_position_tells_when_it_was_recorded(company: Company, event_store: EventStore) -> None:
    company.capture("L1", on="2026-01-10")
    moment = event_store.head()[1]
    company.capture("L2", on="2026-01-10")
    result = company.report("funnel", known_at=1)
    assert (result.position, result.known_at) == (1, moment)
    assert company.report("funnel", known_at=99).position == 2


def test_every_time_finds_its_position(company: Company, event_store: EventStore) -> None:
    moments = []
    for number in range(9):
        company.capture(f"L{number}", on="2026-01-10")
        moments.append(event_store.head()[1])
    company.follow()
    for position, moment in enumerate(moments, 1):
        assert run(company.database, "funnel", known_at=moment).position == position
        assert run(company.database, "funnel", known_at=moment - timedelta(microseconds=1)).position == position - 1


def test_the_hindmost_table_says_what_is_known(company: Company) -> None:
    company.capture("L1", on="2026-01-10")
    company.follow()
    company.capture("L2", on="2026-01-10")
    with open_runner(company.database, [Leads]) as runner:
        runner.catch_up()
    result = run(company.database, "funnel", as_of="2026-12-31")
    assert (result.position, figures(result, "leads")[0]) == (1, (1,))


def test_today_is_the_default_date(company: Company) -> None:
    company.follow()
    assert abs(run(company.database, "funnel").as_of - datetime.now(UTC).date()) <= timedelta(days=1)


def test_reports_are_the_readers_work(company: Company) -> None:
    company.follow()
    with company.database.connect(Role.READER) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("DELETE FROM ltc_read.leads")


def test_without_read_tables_the_error_says_so(database: Database) -> None:
    with pytest.raises(ReadTablesMissing, match="leads"):
        run(database, "funnel")
    with open_runner(database, [one for one in PROJECTIONS if one is not Leads]) as runner:
        runner.catch_up()
    with pytest.raises(ReadTablesMissing, match="funnel reads leads"):
        run(database, "funnel")


def test_what_is_asked_wrongly_is_refused_with_a_remedy(company: Company) -> None:
    company.follow()
    database = company.database
    with pytest.raises(UnknownReport) as unknown:
        run(database, "funel")
    assert unknown.value.fix == "did you mean funnel?"
    with pytest.raises(UnknownParameter) as parameter:
        run(database, "funnel", parameters={"colour": "red"})
    assert parameter.value.fix == "its parameters are: basis, from, to, channel"
    with pytest.raises(InvalidParameter, match="basis cannot be both"):
        run(database, "funnel", parameters={"basis": "both"})
    with pytest.raises(InvalidParameter, match="from cannot be spring"):
        run(database, "funnel", parameters={"from": "spring"})
    with pytest.raises(InvalidParameter, match="days cannot be -1"):
        run(database, "worklist", parameters={"days": "-1"})
    with pytest.raises(ParameterMissing, match="customer"):
        run(database, "customer")
    for moment in ("yesterday", "2026-02-30", "-3"):
        with pytest.raises(InvalidMoment):
            run(database, "funnel", known_at=moment)
    with pytest.raises(InvalidMoment):
        run(database, "funnel", as_of="2026-02-30")


class TestCustomer:
    """R-24, R-25: the 360° view."""

    @pytest.fixture
    def company(self, company: Company) -> Company:
        first_quarter(company)
        company.record("Acme", ReferenceLinked(system="crm", reference="4711"), on="2026-01-02")
        company.customer("Bolt", on="2026-01-01")
        return company

    def test_is_found_by_id_name_or_reference(self, company: Company) -> None:
        for wanted in (id_of("Acme"), str(id_of("Acme")), "acme", "4711"):
            assert company.report("customer", customer=wanted).parameters["customer"] == id_of("Acme")

    def test_unknown_or_ambiguous_names_are_refused_with_a_hint(self, company: Company) -> None:
        for wanted, hint in (("acm", "did you mean Acme?"), ("Bollt", "did you mean Bolt?"), ("Zzz", "give its id")):
            with pytest.raises(CustomerUnknown) as unknown:
                company.report("customer", customer=wanted)
            assert hint in unknown.value.fix
        with pytest.raises(CustomerUnknown):
            company.report("customer", customer=UUID(int=1))
        company.record("Acme 2", ProfileUpdated(profile=Profile(name="ACME")), on="2026-01-02", customer="Acme 2")
        with pytest.raises(CustomerAmbiguous) as ambiguous:
            company.report("customer", customer="Acme")
        assert str(id_of("Acme 2")) in ambiguous.value.fix

    def test_a_mistyped_name_is_found_by_its_beginning_or_its_end(self, company: Company) -> None:
        company.customer("Müller & Söhne GmbH", on="2026-01-01")
        twin = CustomerRegistered(profile=Profile(name="Muller Twin"), policy_version=0)
        for number in range(60):
            company.record(f"twin {number}", twin, on="2026-01-01", customer=f"twin {number}")
        # However it is written, if it is the same name.
        found = company.report("customer", customer="MULLER  SOHNE, gmbh")
        assert found.parameters["customer"] == id_of("Müller & Söhne GmbH")
        for wanted, hint in (
            ("Müler & Söhne GmbH", "Müller & Söhne GmbH"),
            ("xüller & Söhne GmbH", "Müller & Söhne GmbH"),
            ("muller", "Müller & Söhne GmbH or Muller Twin"),
            ("zzz zzz zzz", "give its id"),
        ):
            with pytest.raises(CustomerUnknown) as unknown:
                company.report("customer", customer=wanted)
            assert hint in unknown.value.fix
        with pytest.raises(CustomerAmbiguous, match="60 customers answer to muller twin") as ambiguous:
            company.report("customer", customer="muller twin")
        assert ambiguous.value.fix.count("(Muller Twin, registered 2026-01-01)") == 5

    def test_few_names_are_looked_at_however_many_there_are(self, company: Company, database: Database) -> None:
        for number in range(300):
            company.customer(f"Customer {number:05}", on="2026-01-01")
        with pytest.raises(CustomerUnknown) as unknown:
            company.report("customer", customer="Custmer 00123")
        assert "Customer 00123" in unknown.value.fix
        with database.connect(Role.READER) as connection:
            assert len(set(neighbours(connection, search_form("Custmer 00123")))) <= 4 * NEIGHBOURS
            connection.execute("SET enable_seqscan = off")
            for column in ("search_name", "search_name_reversed"):
                query = f"EXPLAIN SELECT {column} FROM ltc_read.customers WHERE {column} > 'x' ORDER BY {column} LIMIT 1"
                plan = connection.execute(query.encode()).fetchall()
                assert f"{column}_idx" in plan[1][0]

    def test_shows_profile_people_amounts_and_what_happened(self, company: Company) -> None:
        company.record("Acme", ProfileUpdated(profile=Profile(industry="energy")), on="2026-05-01")
        company.record("Acme", ContactAdded(contact_id=uuid4(), name="Ada", role="buyer", email="ada@acme.test"), on="2026-01-02")
        result = company.report("customer", customer="Acme", as_of=DAY, limit=2)
        assert figures(result, "section", "item", "detail", "count", "currency", "amount") == [
            ("profile", "name", "Acme", None, None, None),
            ("profile", "industry", "mining", None, None, None),
            ("reference", "crm", "4711", None, None, None),
            ("contact", "Ada", "buyer, ada@acme.test", None, None, None),
            ("amount", "pipeline", None, 1, "EUR", "500"),
            ("amount", "weighted pipeline", None, 1, "EUR", "250"),
            ("amount", "quotes sent", None, 1, "EUR", "475"),
            ("timeline", "customer.contact_added.v1", "contact added: Ada, buyer", None, None, None),
            ("timeline", "customer.reference_linked.v1", "called 4711 in crm", None, None, None),
        ]
        later = company.report("customer", customer="Acme", limit=0)
        assert figures(later, "item", "detail")[1] == ("industry", "energy")

    def test_a_name_is_reported_as_it_was_known(self, company: Company) -> None:
        position = company.record("Q1", QuoteAccepted(revision=1, net=Decimal(475), currency="EUR"), on="2026-02-28")
        company.record("Acme", ProfileUpdated(profile=Profile(name="Acme Ltd")), on="2026-06-01")
        leakage = {"name": "leakage", "group_by": "customer"}
        for when, name in (({}, "Acme Ltd"), ({"as_of": DAY}, "Acme"), ({"known_at": position}, "Acme")):
            assert figures(company.report(**leakage, **when), "customer") == [(name,)]


class TestForms:
    @pytest.fixture
    def company(self, company: Company) -> Company:
        company.open("D1", on="2026-01-01", amount="1200.5", owner='O"Neil, Olga')
        company.open("D2", on="2026-01-02", amount="5000", currency="JPY", owner="Otto", expected_close_on=date(2026, 2, 1))
        return company

    def test_json(self, company: Company, event_store: EventStore) -> None:
        result = company.report("pipeline", group_by="owner", as_of=DAY)
        assert json.loads(json_text(result)) == {
            "report": "pipeline",
            "as_of": "2026-03-31",
            "known_at": event_store.head()[1].isoformat().replace("+00:00", "Z"),
            "position": 2,
            "parameters": {"group_by": "owner", "owner": None, "channel": None},
            "columns": [
                {"name": "owner", "type": "text"},
                {"name": "opportunity_id", "type": "uuid"},
                {"name": "currency", "type": "text"},
                {"name": "opportunities", "type": "integer"},
                {"name": "amount", "type": "money"},
                {"name": "weighted", "type": "money"},
                {"name": "probability", "type": "percent"},
                {"name": "overdue", "type": "integer"},
            ],
            "rows": [
                {
                    "owner": "Otto",
                    "opportunity_id": None,
                    "currency": "JPY",
                    "opportunities": 1,
                    "amount": "5000",
                    "weighted": "500",
                    "probability": "10",
                    "overdue": 1,
                },
                {
                    "owner": 'O"Neil, Olga',
                    "opportunity_id": None,
                    "currency": "EUR",
                    "opportunities": 1,
                    "amount": "1200.50",
                    "weighted": "120.05",
                    "probability": "10",
                    "overdue": 0,
                },
            ],
            "totals": {
                "opportunities": 2,
                "amount": {"EUR": "1200.50", "JPY": "5000"},
                "weighted": {"EUR": "120.05", "JPY": "500"},
                "overdue": 1,
            },
        }

    def test_table(self, company: Company) -> None:
        shown = table_lines(company.report("pipeline", group_by="owner", as_of=DAY))
        lines = [" ".join(text.split()) for text in shown]
        assert lines[:6] == [
            "Pipeline",
            "owner currency opportunities amount weighted probability overdue",
            "Otto JPY 1 5,000 500 10 1",
            'O"Neil, Olga EUR 1 1,200.50 120.05 10 0',
            "total EUR 2 1,200.50 120.05 1",
            "total JPY 5,000 500",
        ]
        assert lines[6].startswith("as of 2026-03-31, known at position 2 (")

    def test_a_long_table_can_be_cut_but_says_so(self, company: Company) -> None:
        lines = table_lines(company.report("pipeline", group_by="owner", as_of=DAY), rows_max=1)
        text = "\n".join(lines)
        assert "Neil" not in text
        assert "and 1 more rows" in text
        assert "1,200.50" in text, "the totals are those of all rows"

    def test_sections_of_a_table(self, company: Company) -> None:
        company.customer("Acme")
        lines = [text.strip() for text in table_lines(company.report("customer", customer="Acme", as_of=DAY), width=160)]
        assert [text for text in lines if text in ("profile", "reference", "amount", "timeline")] == [
            "profile",
            "amount",
            "timeline",
        ]

    def test_nothing_to_report(self, company: Company) -> None:
        assert "nothing to report" in table_lines(company.report("loss-reasons", as_of=DAY))

    def test_csv(self, company: Company) -> None:
        stream = io.StringIO()
        write_csv(company.report("pipeline", group_by="owner", as_of=DAY), stream)
        assert list(csv.reader(io.StringIO(stream.getvalue()))) == [
            ["owner", "opportunity_id", "currency", "opportunities", "amount", "weighted", "probability", "overdue"],
            ["Otto", "", "JPY", "1", "5000", "500", "10", "1"],
            ['O"Neil, Olga', "", "EUR", "1", "1200.50", "120.05", "10", "0"],
        ]

    def test_csv_has_no_formulas(self, company: Company) -> None:
        company.open("D3", on="2026-01-02", amount="3", owner='=HYPERLINK("http://x")')
        stream = io.StringIO()
        write_csv(company.report("pipeline", group_by="owner", as_of=DAY), stream)
        assert [row[0] for row in csv.reader(io.StringIO(stream.getvalue()))][-1] == """'=HYPERLINK("http://x")"""

    def test_parquet_keeps_types(self, company: Company, tmp_path: Path) -> None:
        company.capture("L1", on="2026-01-10")
        for name in ("pipeline", "worklist", "customer"):
            given = {"customer": id_of("Acme")} if name == "customer" else {}
            write_parquet(company.report(name, as_of=DAY, **given), tmp_path / f"{name}.parquet")
        read = pq.read_table(tmp_path / "pipeline.parquet")
        assert str(read.schema.field("amount").type) == "decimal128(38, 9)"
        assert sorted(read["amount"].to_pylist()) == [Decimal("1200.5"), Decimal(5000)]
        assert read.schema.metadata[b"as_of"] == DAY.encode()
        assert pq.read_table(tmp_path / "worklist.parquet")["due_at"].to_pylist()[0].tzinfo is not None

    def test_parquet_without_pyarrow_names_the_extra(
        self, company: Company, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        with pytest.raises(ParquetUnavailable) as missing:
            write_parquet(company.report("pipeline"), tmp_path / "pipeline.parquet")
        assert "ltc-events[parquet]" in missing.value.fix
