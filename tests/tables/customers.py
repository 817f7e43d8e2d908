"""Customers, policies, price books and campaigns."""

from datetime import date
from decimal import Decimal

from tests.small_company import id_of
from tests.tables.specification import at, given

from ltc_events.projections.tables.campaign_costs import CampaignCosts
from ltc_events.projections.tables.campaigns import Campaigns
from ltc_events.projections.tables.contacts import Contacts
from ltc_events.projections.tables.customer_profiles import CustomerProfiles
from ltc_events.projections.tables.customer_references import CustomerReferences
from ltc_events.projections.tables.customers import Customers
from ltc_events.projections.tables.list_prices import ListPrices
from ltc_events.projections.tables.policies import PolicyVersions
from ltc_events.schemas.campaign import CampaignClosed, CampaignCostRecorded, CampaignLaunched, CampaignPlanned
from ltc_events.schemas.customer import (
    ContactAdded,
    CustomerRegistered,
    Profile,
    ProfileUpdated,
    ProspectRegistered,
    ReferenceLinked,
    StubRegistered,
)
from ltc_events.schemas.lead import Channel
from ltc_events.schemas.policy import DiscountMatrix, PolicyPublished, PriceBookItem, PriceBookPublished

REGISTERED = at(
    "Acme",
    CustomerRegistered(
        profile=Profile(name="Acme Ltd.", phone="+49 30 1234567", country="DE"),
        references={"erp": "77"},
        policy_version=1,
        phone_e164="+49301234567",
    ),
)
UPDATED = at("Acme", ProfileUpdated(profile=Profile(name="Acme GmbH", industry="trade")), on="2026-02-01")
PROSPECT = at("Bolt", ProspectRegistered(profile=Profile(name="Bolt"), lead_id=id_of("lead 1")), customer="Bolt")
STUB = at("Nobody", StubRegistered(noun="payment", first_id=id_of("payment 1")), customer="Nobody")
LINKED = at("Acme", ReferenceLinked(system="crm", reference="4711"), on="2026-02-01")
CONTACT = at("Acme", ContactAdded(contact_id=id_of("Ada"), name="Ada", role="buyer", email="ada@acme.example"))

MATRIX = PolicyPublished(version=1, content=DiscountMatrix(kind="discount_matrix", limits={"sales": Decimal(10)}))
PRICES = PriceBookPublished(
    version=2,
    title="2026",
    currency="EUR",
    valid_from=date(2026, 3, 1),
    items=(
        PriceBookItem(sku="P-1", description="pump", list_price=Decimal("99.50"), tax_category="S", tax_rate=Decimal(19)),
        PriceBookItem(sku="V-1", description="valve", list_price=Decimal(7), tax_category="S", tax_rate=Decimal(19)),
    ),
)

PLANNED = CampaignPlanned(
    title="spring",
    channel=Channel.EMAIL,
    budget=Decimal(500),
    expected_revenue=Decimal(9000),
    currency="EUR",
    starts_on=date(2026, 2, 1),
    ends_on=date(2026, 2, 28),
    references={"crm": "c-1"},
)
CAMPAIGN = (
    at("spring", PLANNED, customer=None),
    at("spring", CampaignLaunched(), on="2026-02-01", customer=None),
    at(
        "spring",
        CampaignCostRecorded(
            cost_id=id_of("cost 1"), amount=Decimal("120.50"), currency="EUR", channel=Channel.EMAIL, note="mail"
        ),
        CampaignCostRecorded(cost_id=id_of("cost 2"), amount=Decimal(30), currency="EUR", channel=Channel.SOCIAL),
        on="2026-02-10",
        customer=None,
    ),
    at("spring", CampaignClosed(reason="over"), on="2026-03-01", customer=None),
)

SPECIFICATIONS = (
    given(REGISTERED, UPDATED, PROSPECT, STUB).then(
        Customers,
        """
        row                  | 1                         | 2                         | 3
        customer_id          | Acme                      | Nobody                    | Bolt
        name                 | Acme GmbH                 |                           | Bolt
        industry             | trade                     |                           |
        country              | DE                        |                           |
        phone                | +49 30 1234567            |                           |
        phone_e164           | +49301234567              |                           |
        stage                | customer                  | stub                      | prospect
        registered_position  | 1                         | 4                         | 3
        registered_on        | 2026-01-05                | 2026-01-05                | 2026-01-05
        occurred_at          | 2026-01-05 12:00:00+00:00 | 2026-01-05 12:00:00+00:00 | 2026-01-05 12:00:00+00:00
        changed_position     | 2                         | 4                         | 3
        changed_on           | 2026-02-01                | 2026-01-05                | 2026-01-05
        search_name          | acme gmbh                 |                           | bolt
        search_name_reversed | hbmg emca                 |                           | tlob
        """,
    ),
    given(REGISTERED, UPDATED, PROSPECT).then(
        CustomerProfiles,
        """
        position | name      | industry | country | phone          | phone_e164
        1        | Acme Ltd. |          | DE      | +49 30 1234567 | +49301234567
        2        | Acme GmbH | trade    |         |                |
        3        | Bolt      |          |         |                |
        """,
    ),
    given(REGISTERED, LINKED).then(
        CustomerReferences,
        """
        position | system | reference
        1        | erp    | 77
        2        | crm    | 4711
        """,
    ),
    given(CONTACT).then(
        Contacts,
        """
        position | contact_id | name | role  | email
        1        | Ada        | Ada  | buyer | ada@acme.example
        """,
    ),
    given(at("matrix", MATRIX, customer=None)).then(
        PolicyVersions,
        """
        position | kind            | version | content
        1        | discount_matrix | 1       | {"kind":"discount_matrix","limits":{"sales":"10"}}
        """,
    ),
    given(at("prices", PRICES, customer=None)).then(
        ListPrices,
        """
        row           | 1          | 2
        position      | 1          | 1
        sku           | P-1        | V-1
        price_book_id | prices     | prices
        version       | 2          | 2
        title         | 2026       | 2026
        valid_from    | 2026-03-01 | 2026-03-01
        description   | pump       | valve
        list_price    | 99.5       | 7
        currency      | EUR        | EUR
        tax_category  | S          | S
        tax_rate      | 19         | 19
        """,
    ),
    given(*CAMPAIGN).then(
        Campaigns,
        """
        row                 | 1
        campaign_id         | spring
        position            | 1
        title               | spring
        channel             | email
        status              | closed
        currency            | EUR
        budget              | 500
        expected_revenue    | 9000
        cost                | 150.5
        starts_on           | 2026-02-01
        ends_on             | 2026-02-28
        launched_on         | 2026-02-01
        closed_on           | 2026-03-01
        external_references | {"crm":"c-1"}
        """,
    ),
    given(*CAMPAIGN).then(
        CampaignCosts,
        """
        position | campaign_id | cost_id | channel | amount | currency | note
        3        | spring      | cost 1  | email   | 120.5  | EUR      | mail
        4        | spring      | cost 2  | social  | 30     | EUR      |
        """,
    ),
)
