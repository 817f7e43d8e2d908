"""The simulated company: the same bytes everywhere, in order, readable, and like a company."""

import hashlib
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
import pytest
from tests.golden import rare

from ltc_events.schemas.base import COMMANDS, Command
from ltc_events.schemas.envelope import parse
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.registry import COMPANY_NOUNS
from ltc_events.simulation import ENDS_ON, OutOfRange, Simulation, Summary
from ltc_events.simulation.arrivals import Arrivals
from ltc_events.simulation.chance import Chance
from ltc_events.simulation.policies import FIRST
from ltc_events.simulation.working_time import moment

RECEIVED = datetime(2030, 1, 1, tzinfo=UTC)
Document = dict[str, Any]


def digest(seed: int, customers: int, days: int) -> str:
    return hashlib.sha256(b"\n".join(Simulation(seed, customers, days))).hexdigest()


@cache
def company() -> tuple[tuple[Document, ...], Summary]:
    """A company that is large enough for nearly everything to happen."""
    simulation = Simulation(4, 500, 365)
    return tuple(orjson.loads(line) for line in simulation), simulation.summary


def sent(type_name: str) -> list[Document]:
    return [document for document in company()[0] if document["type"] == f"ltc.{type_name}"]


def is_company(document: Document) -> bool:
    return document["type"].split(".")[1] in COMPANY_NOUNS


def of_customers(lines: Iterable[bytes]) -> dict[str, list[bytes]]:
    """The lines of each customer."""
    customers = defaultdict(list)
    for line in lines:
        document = orjson.loads(line)
        if not is_company(document):
            customers[document["partitionkey"]].append(line)
    return customers


def test_the_same_seed_gives_the_same_bytes() -> None:
    assert digest(1, 25, 200) == digest(1, 25, 200)


def test_another_seed_gives_another_company() -> None:
    assert digest(1, 25, 200) != digest(2, 25, 200)


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_the_same_bytes_in_another_process_with_other_hashes(hash_seed: str) -> None:
    code = f"from {__name__} import digest; print(digest(1, 25, 200))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    other = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == digest(1, 25, 200)


def test_more_customers_do_not_change_those_that_were_there() -> None:
    few, many = of_customers(Simulation(5, 30, 300)), of_customers(Simulation(5, 80, 300))
    assert len(few) == 30
    assert len(many) == 80
    assert {key: many[key] for key in few} == few


def test_commands_come_in_the_order_of_time_and_end_on_the_day_asked_for() -> None:
    end = date(2024, 2, 29)
    times = [datetime.fromisoformat(orjson.loads(line)["time"]) for line in Simulation(9, 40, 60, end=end)]
    assert times == sorted(times)
    assert times[0].date() == end - timedelta(days=59)
    assert times[-1].date() <= end
    assert max(document["time"] for document in company()[0]) <= f"{ENDS_ON}T23:59:59Z"


def test_every_document_is_a_command() -> None:
    documents, summary = company()
    unreadable = Counter()
    for document in documents:
        message = parse(document, RECEIVED)
        unreadable.update(reason.code for reason in message.reasons)
    assert unreadable == {"malformed": summary.refused["malformed"]}


def test_the_summary_tells_what_was_sent() -> None:
    documents, summary = company()
    assert summary.commands == Counter(document["type"].removeprefix("ltc.") for document in documents)
    assert summary.total == len(documents)
    assert (summary.starts_on, summary.ends_on) == (date(2025, 7, 1), date(2026, 6, 30))
    ids = Counter(document["id"] for document in documents)
    assert sum(count - 1 for count in ids.values()) == summary.repeated + summary.refused["command_id_reused"]


def test_nothing_is_refused_that_was_meant_well() -> None:
    summary = company()[1]
    assert summary.unforeseen == {}
    assert 0 < summary.refused.total() < summary.total // 100


@pytest.mark.parametrize("seed", range(100, 106))
@pytest.mark.parametrize(("customers", "days"), [(60, 365), (12, 1500), (40, 30), (1, 1)])
def test_nothing_is_refused_that_was_meant_well_whatever_the_size(seed: int, customers: int, days: int) -> None:
    simulation = Simulation(seed, customers, days)
    assert sum(1 for _ in simulation) == simulation.summary.total
    assert simulation.summary.unforeseen == {}


def test_rules_and_prices_come_first() -> None:
    first = [document["type"] for document in company()[0][: len(FIRST) + 1]]
    assert first == ["ltc.policy.publish.v1"] * len(FIRST) + ["ltc.price_book.publish.v1"]


def test_it_says_who_it_is() -> None:
    published = [document["data"]["content"] for document in sent("policy.publish.v1")]
    (own,) = [content for content in published if content["kind"] == "company"]
    assert (own["time_zone"], own["functional_currency"]) == ("Europe/Berlin", "EUR")


def sent_by_hand() -> set[str]:
    """The commands that `tests/golden/rare.py` sends, for what the simulated company does not do."""
    models = [one for one in vars(rare).values() if isinstance(one, type) and issubclass(one, Command)]
    return {one.type for one in models if one is not Command}


def test_every_kind_of_command_occurs_or_is_sent_by_hand_for_the_golden_store() -> None:
    simulated = set(company()[1].commands)
    assert simulated <= set(COMMANDS)
    assert set(COMMANDS) - simulated <= sent_by_hand()
    assert {"payment.move_out.v1", "opportunity.reopen.v1"} <= sent_by_hand() - simulated


def test_every_channel_brings_leads_more_in_busy_months_and_fewer_at_weekends() -> None:
    arrivals = Arrivals(date(2025, 7, 1), 365)
    drawn = [arrivals.draw(Chance("arrivals", str(number))) for number in range(6_000)]
    assert {arrival.source.channel for arrival in drawn} == set(Channel)
    months = Counter(moment(arrival.at).month for arrival in drawn)
    assert months[10] > months[12] < months[3]
    weekends = sum(moment(arrival.at).weekday() >= 5 for arrival in drawn)
    assert 0 < weekends < len(drawn) // 10


def test_better_channels_convert_more() -> None:
    channels = {document["subject"]: document["data"]["channel"] for document in sent("lead.capture.v1")}
    leads = Counter(channels.values())
    converted = Counter(channels[document["subject"]] for document in sent("lead.convert.v1"))
    good = ("referral", "partner", "personal_network")
    poor = ("paid_social", "display", "cold_call")
    good_rate = Decimal(sum(converted[name] for name in good)) / sum(leads[name] for name in good)
    poor_rate = Decimal(sum(converted[name] for name in poor)) / sum(leads[name] for name in poor)
    assert good_rate > 2 * poor_rate


def test_campaigns_are_planned_before_leads_name_them() -> None:
    planned = {document["subject"]: document["time"] for document in sent("campaign.launch.v1")}
    named = [document for document in sent("lead.capture.v1") if "campaign_id" in document["data"]]
    assert len(named) > 100
    assert all(planned[document["data"]["campaign_id"]] <= document["time"] for document in named)
    for plan in sent("campaign.plan.v1"):
        costs = [c["data"]["amount"] for c in sent("campaign.record_cost.v1") if c["subject"] == plan["subject"]]
        assert sum(map(Decimal, costs)) < 2 * Decimal(plan["data"]["budget"])


def test_people_work_on_working_days() -> None:
    by_people = [document for document in company()[0] if " " in document["actor"] and "(" not in document["actor"]]
    moments = [datetime.fromisoformat(document["time"]) for document in by_people]
    weekend = sum(moment.weekday() >= 5 for moment in moments)
    assert weekend < len(moments) // 50


def test_most_leads_are_answered_in_time_and_most_deals_are_won() -> None:
    counts = company()[1].commands
    answered, breached = counts["lead.record_first_response.v1"], counts["lead.record_response_breach.v1"]
    assert answered // 20 < breached < answered // 3
    assert counts["opportunity.lose.v1"] * 2 < counts["opportunity.win.v1"]
    assert counts["lead.miss_follow_up.v1"] * 4 < counts["lead.complete_follow_up.v1"]
    assert counts["invoice.dispute.v1"] * 10 < counts["invoice.issue.v1"]
    assert counts["payment.return.v1"] * 20 < counts["payment.receive.v1"]


def test_a_year_takes_some_forty_to_sixty_commands_for_each_customer() -> None:
    summary = company()[1]
    assert 35 * summary.customers < summary.total < 65 * summary.customers


def test_the_size_is_limited() -> None:
    with pytest.raises(OutOfRange, match="customers 0"):
        Simulation(1, 0, 10)
    with pytest.raises(OutOfRange) as error:
        Simulation(1, 10, 100_000)
    assert error.value.fix == "give days from 1 to 3660"
