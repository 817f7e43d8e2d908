"""The sales side: opportunities, quotes, and the timeline of what happened."""

from datetime import date
from decimal import Decimal

from tests.small_company import id_of, line, priced
from tests.tables.leads import FOLLOW_UPS
from tests.tables.specification import at, given

from ltc_events.projections.tables.decision_makers import DecisionMakers
from ltc_events.projections.tables.interactions import Interactions
from ltc_events.projections.tables.opportunities import Opportunities
from ltc_events.projections.tables.opportunity_amounts import OpportunityAmounts
from ltc_events.projections.tables.opportunity_details import OpportunityDetails
from ltc_events.projections.tables.opportunity_stages import OpportunityStages
from ltc_events.projections.tables.quote_lines import QuoteLines
from ltc_events.projections.tables.quote_steps import QuoteSteps
from ltc_events.projections.tables.quotes import Quotes
from ltc_events.projections.tables.timeline import Timeline
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.opportunity import (
    AmountChanged,
    CloseDateChanged,
    DecisionMakerMapped,
    InteractionKind,
    InteractionLogged,
    LossReason,
    OpportunityLost,
    OpportunityOpened,
    OpportunityReopened,
    OpportunityWon,
    OwnerChanged,
    StageChanged,
    TitleChanged,
)
from ltc_events.schemas.quote import (
    DiscountApproved,
    DiscountRejected,
    QuoteAccepted,
    QuoteDrafted,
    QuoteExpired,
    QuoteOrdered,
    QuoteRejected,
    QuoteRevised,
    QuoteSent,
)

OPENED = OpportunityOpened(
    title="pumps",
    amount=Decimal(1000),
    currency="EUR",
    stage="prospecting",
    probability=Decimal(10),
    expected_close_on=date(2026, 3, 1),
    lead_id=id_of("lead 1"),
    channel=Channel.WEB_FORM,
    origin="newsletter",
    campaign_id=id_of("spring"),
    owner="Olga",
    references={"crm": "o-1"},
    policy_version=1,
)
DEAL = (
    at("deal", OPENED),
    at(
        "deal",
        StageChanged(from_stage="prospecting", stage="proposal", probability=Decimal(50), backward=False, policy_version=2),
        AmountChanged(was=Decimal(1000), amount=Decimal(1200), currency="EUR", reason="one more"),
        CloseDateChanged(was=date(2026, 3, 1), expected_close_on=date(2026, 4, 1), reason="holidays"),
        on="2026-01-20",
    ),
    at(
        "deal",
        OpportunityLost(
            from_stage="proposal",
            amount=Decimal(1200),
            currency="EUR",
            reason=LossReason.COMPETITOR,
            competitor="Bolt",
            note="price",
        ),
        on="2026-02-01",
    ),
    at(
        "deal",
        OpportunityReopened(
            was="lost",
            stage="proposal",
            probability=Decimal(50),
            amount=Decimal(1200),
            currency="EUR",
            reason="failed",
            policy_version=2,
        ),
        on="2026-02-10",
    ),
    at(
        "deal",
        OpportunityWon(from_stage="proposal", amount=Decimal(1150), currency="EUR", quote_id=id_of("quote"), reason="trusted"),
        on="2026-02-20",
    ),
)
REOPENED = at(
    "deal",
    OpportunityReopened(
        was="won",
        stage="proposal",
        probability=Decimal(50),
        amount=Decimal(1150),
        currency="EUR",
        quote_id=id_of("quote"),
        reason="cancelled",
        policy_version=2,
    ),
    on="2026-03-01",
)
HANDED_OVER = at(
    "deal",
    TitleChanged(was="pumps", title="two pumps"),
    OwnerChanged(was="Olga", owner="Ben", reason="on leave"),
    on="2026-03-02",
)
PEOPLE = at("deal", DecisionMakerMapped(contact_name="Ada", role="buyer", influence="high"))
CALL = at("deal", InteractionLogged(kind=InteractionKind.CALL, summary="wants a demo", by="Olga"))
DRAFTED = QuoteDrafted(
    opportunity_id=id_of("deal"),
    price_book_id=id_of("prices"),
    currency="EUR",
    valid_until=date(2026, 2, 28),
    title="pumps",
    requested_on=date(2026, 1, 4),
    references={"crm": "q-1"},
)
PRICED = priced(line(1, "P-1", "10", "100", {"volume": "100"}), line(2, "V-1", "2", "50"), approval=True)
QUOTE = (
    at("quote", DRAFTED, PRICED, DiscountRejected(approver="Dora", reason="too much")),
    at("quote", QuoteRevised(revision=2, reason="once more", valid_until=date(2026, 3, 31)), on="2026-01-10"),
    at(
        "quote",
        PRICED.model_copy(update={"revision": 2, "opportunity_id": id_of("deal"), "price_book_id": id_of("prices")}),
        DiscountApproved(approver="Dora", role="director", discount_percent=Decimal(10), matrix_version=3),
        QuoteSent(revision=2, to="Ada"),
        on="2026-01-11",
    ),
    at(
        "quote",
        QuoteAccepted(revision=2, opportunity_id=id_of("deal"), net=Decimal(1000), currency="EUR", accepted_by="Ada"),
        on="2026-01-20",
    ),
    at("quote", QuoteOrdered(revision=2, order_id=id_of("order 1")), on="2026-01-21"),
)
LOST_QUOTES = (
    at("quote 2", DRAFTED, QuoteRejected(revision=1, reason="too late")),
    at("quote 3", DRAFTED),
    at("quote 3", QuoteExpired(revision=1), on="2026-03-01"),
)

SPECIFICATIONS = (
    given(*DEAL).then(
        Opportunities,
        """
        row                 | 1
        opportunity_id      | deal
        position            | 1
        lead_id             | lead 1
        title               | pumps
        channel             | web_form
        origin              | newsletter
        campaign_id         | spring
        owner               | Olga
        external_references | {"crm":"o-1"}
        status              | won
        stage               | won
        probability         | 100
        amount              | 1150
        currency            | EUR
        expected_close_on   | 2026-04-01
        closed_on           | 2026-02-20
        quote_id            | quote
        reason              | trusted
        """,
    ),
    given(*DEAL, REOPENED, HANDED_OVER).then(
        Opportunities,
        """
        row                 | 1
        opportunity_id      | deal
        position            | 1
        lead_id             | lead 1
        title               | two pumps
        channel             | web_form
        origin              | newsletter
        campaign_id         | spring
        owner               | Ben
        external_references | {"crm":"o-1"}
        status              | open
        stage               | proposal
        probability         | 50
        amount              | 1150
        currency            | EUR
        expected_close_on   | 2026-04-01
        closed_on           |
        quote_id            |
        reason              |
        """,
    ),
    given(*DEAL).then(
        OpportunityStages,
        """
        row            | 1           | 2           | 3          | 4           | 5
        position       | 1           | 2           | 5          | 6           | 7
        opportunity_id | deal        | deal        | deal       | deal        | deal
        stage          | prospecting | proposal    | lost       | proposal    | won
        from_stage     |             | prospecting | proposal   | lost        | proposal
        probability    | 10          | 50          | 0          | 50          | 100
        backward       | false       | false       | false      | true        | false
        amount         |             |             | 1200       |             | 1150
        currency       |             |             | EUR        |             | EUR
        reason         |             |             | competitor | failed      | trusted
        competitor     |             |             | Bolt       |             |
        quote_id       |             |             |            |             | quote
        policy_version | 1           | 2           |            | 2           |
        """,
    ),
    given(*DEAL).then(
        OpportunityAmounts,
        """
        position | opportunity_id | cause              | amount | currency | expected_close_on | reason
        1        | deal           | opened             | 1000   | EUR      | 2026-03-01        |
        3        | deal           | amount_changed     | 1200   | EUR      |                   | one more
        4        | deal           | close_date_changed |        |          | 2026-04-01        | holidays
        5        | deal           | lost               | 1200   | EUR      |                   |
        7        | deal           | won                | 1150   | EUR      |                   |
        """,
    ),
    given(*DEAL, REOPENED, HANDED_OVER).then(
        OpportunityDetails,
        """
        position | opportunity_id | cause         | title     | owner | reason
        1        | deal           | opened        | pumps     | Olga  |
        9        | deal           | title_changed | two pumps |       |
        10       | deal           | owner_changed |           | Ben   | on leave
        """,
    ),
    given(PEOPLE).then(
        DecisionMakers,
        """
        position | opportunity_id | contact_name | role  | influence
        1        | deal           | Ada          | buyer | high
        """,
    ),
    given(CALL).then(
        Interactions,
        """
        position | opportunity_id | kind | summary      | person
        1        | deal           | call | wants a demo | Olga
        """,
    ),
    given(*QUOTE).then(
        Quotes,
        """
        row                 | 1
        quote_id            | quote
        position            | 1
        opportunity_id      | deal
        price_book_id       | prices
        title               | pumps
        requested_on        | 2026-01-04
        valid_until         | 2026-03-31
        external_references | {"crm":"q-1"}
        status              | accepted
        revision            | 2
        currency            | EUR
        list_total          | 1100
        discount_total      | 100
        net                 | 1000
        tax                 | 200
        gross               | 1200
        discount_percent    | 10
        requested_by        | Olga
        approver            | Dora
        closed_on           | 2026-01-20
        reason              | once more
        order_id            | order 1
        """,
    ),
    given(*LOST_QUOTES).then(
        Quotes,
        """
        row                 | 1             | 2
        quote_id            | quote 2       | quote 3
        position            | 1             | 3
        opportunity_id      | deal          | deal
        price_book_id       | prices        | prices
        title               | pumps         | pumps
        requested_on        | 2026-01-04    | 2026-01-04
        valid_until         | 2026-02-28    | 2026-02-28
        external_references | {"crm":"q-1"} | {"crm":"q-1"}
        status              | rejected      | expired
        revision            | 1             | 1
        currency            | EUR           | EUR
        closed_on           | 2026-01-05    | 2026-03-01
        reason              | too late      |
        """,
    ),
    given(*QUOTE).then(
        QuoteSteps,
        """
        row              | 1          | 2      | 3                | 4          | 5      | 6        | 7     | 8        | 9
        position         | 1          | 2      | 3                | 4          | 5      | 6        | 7     | 8        | 9
        quote_id         | quote      | quote  | quote            | quote      | quote  | quote    | quote | quote    | quote
        step             | drafted    | priced | approval_refused | revised    | priced | approved | sent  | accepted | ordered
        revision         | 1          | 1      |                  | 2          | 2      |          | 2     | 2        | 2
        approval_needed  |            | true   |                  |            | true   |          |       |          |
        person           |            | Olga   | Dora             |            | Olga   | Dora     | Ada   | Ada      |
        role             |            | sales  |                  |            | sales  | director |       |          |
        net              |            | 1000   |                  |            | 1000   |          |       | 1000     |
        currency         | EUR        | EUR    |                  |            | EUR    |          |       | EUR      |
        discount_percent |            | 10     |                  |            | 10     | 10       |       |          |
        valid_until      | 2026-02-28 |        |                  | 2026-03-31 |        |          |       |          |
        reason           |            |        | too much         | once more  |        |          |       |          |
        order_id         |            |        |                  |            |        |          |       |          | order 1
        policy_version   |            | 0      |                  |            | 0      | 3        |       |          |
        """,
    ),
    given(*LOST_QUOTES).then(
        QuoteSteps,
        """
        position | quote_id | step     | revision | currency | valid_until | reason
        1        | quote 2  | drafted  | 1        | EUR      | 2026-02-28  |
        2        | quote 2  | rejected | 1        |          |             | too late
        3        | quote 3  | drafted  | 1        | EUR      | 2026-02-28  |
        4        | quote 3  | expired  | 1        |          |             |
        """,
    ),
    given(at("quote", DRAFTED, PRICED)).then(
        QuoteLines,
        """
        row                | 1                                                   | 2
        position           | 2                                                   | 2
        line               | 1                                                   | 2
        quote_id           | quote                                               | quote
        revision           | 1                                                   | 1
        sku                | P-1                                                 | V-1
        description        | P-1                                                 | V-1
        quantity           | 10                                                  | 2
        list_price         | 100                                                 | 50
        list_amount        | 1000                                                | 100
        discount_amount    | 100                                                 | 0
        discounts          | [{"amount":"100","percent":null,"reason":"volume"}] | []
        net                | 900                                                 | 100
        currency           | EUR                                                 | EUR
        tax_category       | S                                                   | S
        tax_rate           | 20                                                  | 20
        price_book_version | 1                                                   | 1
        requested_by       | Olga                                                | Olga
        role               | sales                                               | sales
        """,
    ),
    given(*FOLLOW_UPS, PEOPLE, CALL).then(
        Timeline,
        """
        position | part | subject | summary                                                    | actor
        1        | 1    | lead 1  | follow-up planned for 2026-01-06 12:00: ask for the budget | ann
        2        | 1    | lead 1  | follow-up planned for 2026-01-06 12:00                     | ann
        3        | 1    | lead 1  | follow-up missed                                           | ann
        4        | 1    | lead 1  | follow-up done: 5,000                                      | ann
        5        | 1    | deal    | takes part in the decision: Ada, buyer                     | ann
        6        | 1    | deal    | call by Olga: wants a demo                                 | ann
        """,
    ),
)
