"""Orders, their lines and movements, shipments, and contracts."""

from datetime import date
from decimal import Decimal

from tests.small_company import id_of
from tests.tables.specification import at, given

from ltc_events.projections.tables.contract_versions import ContractVersions
from ltc_events.projections.tables.contracts import Contracts
from ltc_events.projections.tables.order_line_versions import OrderLineVersions
from ltc_events.projections.tables.order_lines import OrderLines
from ltc_events.projections.tables.order_movements import OrderMovements
from ltc_events.projections.tables.orders import Orders
from ltc_events.projections.tables.shipments import Shipments
from ltc_events.schemas.contract import ContractRenewed, ContractSigned, ContractTerminated
from ltc_events.schemas.order import (
    LineAmount,
    OrderAmended,
    OrderBillingReversed,
    OrderCancelled,
    OrderDelivered,
    OrderInvoiced,
    OrderLine,
    OrderPlaced,
    OrderShipped,
)


def pumps(quantity: int, net: int) -> OrderLine:
    """The first line of the order."""
    return OrderLine(
        line=1,
        sku="P-1",
        description="pump",
        quantity=Decimal(quantity),
        net=Decimal(net),
        tax_category="S",
        tax_rate=Decimal(20),
        quote_line=7,
        references={"erp": "p-1"},
    )


def amounts(*lines: tuple[int, int, int]) -> tuple[LineAmount, ...]:
    """Line, quantity and amount."""
    return tuple(LineAmount(line=line, quantity=Decimal(quantity), amount=Decimal(amount)) for line, quantity, amount in lines)


VALVES = OrderLine(
    line=2, sku="V-1", description="valve", quantity=Decimal(4), net=Decimal(100), tax_category="S", tax_rate=Decimal(20)
)
DEAL = id_of("deal")
PLACED = OrderPlaced(
    quote_id=id_of("quote"),
    quote_revision=2,
    opportunity_id=DEAL,
    opportunity_amount=Decimal(500),
    currency="EUR",
    lines=(pumps(10, 400), VALVES),
    net=Decimal(500),
    discount_total=Decimal(50),
    requested_delivery_on=date(2026, 2, 1),
    references={"erp": "o-1"},
)
AMENDED = OrderAmended(
    opportunity_id=DEAL,
    currency="EUR",
    reason="two more",
    lines=(pumps(12, 480), VALVES),
    changes=amounts((1, 2, 80)),
    complete=False,
    net=Decimal(580),
    net_change=Decimal(80),
    not_before=date(2026, 1, 5),
)
DELIVERED = OrderDelivered(
    delivery_id=id_of("delivery"),
    opportunity_id=DEAL,
    currency="EUR",
    lines=amounts((1, 12, 480), (2, 1, 25)),
    amount=Decimal(505),
    complete=False,
    not_before=date(2026, 1, 10),
)
SHIPPED = OrderShipped(shipment_id=id_of("parcel"), carrier="DHL", tracking="47", not_before=date(2026, 1, 10))
INVOICED = OrderInvoiced(
    invoice_id=id_of("invoice 1"), lines=amounts((1, 12, 480)), amount=Decimal(480), not_before=date(2026, 1, 20)
)
REVERSED = OrderBillingReversed(
    credit_note_id=id_of("credit 1"),
    invoice_id=id_of("invoice 1"),
    opportunity_id=DEAL,
    currency="EUR",
    lines=amounts((1, 2, 80)),
    amount=Decimal(80),
    not_before=date(2026, 1, 21),
)
CANCELLED = OrderCancelled(
    opportunity_id=DEAL,
    currency="EUR",
    reason="no more valves",
    lines=amounts((2, 3, 75)),
    amount=Decimal(75),
    not_before=date(2026, 1, 20),
)
ORDER = (
    at("order 1", PLACED),
    at("order 1", AMENDED, on="2026-01-10"),
    at("order 1", DELIVERED, SHIPPED, on="2026-01-20"),
    at("order 1", INVOICED, on="2026-01-21"),
    at("order 1", REVERSED, on="2026-01-22"),
    at("order 1", CANCELLED, on="2026-01-23"),
)
SIGNED = ContractSigned(
    title="care",
    starts_on=date(2026, 2, 1),
    ends_on=date(2027, 1, 31),
    value=Decimal(1200),
    currency="EUR",
    notice_days=30,
    auto_renew=True,
    terms="monthly",
    signed_by="Ada",
    opportunity_id=DEAL,
    quote_id=id_of("quote"),
    order_id=id_of("order 1"),
)
CONTRACT = (
    at("contract", SIGNED),
    at(
        "contract",
        ContractRenewed(was=date(2027, 1, 31), ends_on=date(2028, 1, 31), value=Decimal(1300), currency="EUR"),
        on="2027-01-02",
    ),
    at("contract", ContractTerminated(ends_on=date(2027, 6, 30), reason="moved away"), on="2027-05-04"),
)

SPECIFICATIONS = (
    given(*ORDER).then(
        Orders,
        """
        row                   | 1
        order_id              | order 1
        customer_id           | Acme
        opportunity_id        | deal
        quote_id              | quote
        quote_revision        | 2
        status                | cancelled
        currency              | EUR
        net                   | 580
        discount_total        | 50
        delivered             | 505
        cancelled             | 75
        invoiced              | 400
        amendments            | 1
        placed_on             | 2026-01-05
        requested_delivery_on | 2026-02-01
        last_delivery_on      | 2026-01-20
        last_shipment_on      | 2026-01-20
        cancelled_on          | 2026-01-23
        reason                | no more valves
        external_references   | {"erp":"o-1"}
        """,
    ),
    given(*ORDER).then(
        OrderLines,
        """
        row                 | 1             | 2
        order_id            | order 1       | order 1
        line                | 1             | 2
        customer_id         | Acme          | Acme
        quote_line          | 7             |
        sku                 | P-1           | V-1
        description         | pump          | valve
        tax_category        | S             | S
        tax_rate            | 20            | 20
        ordered_quantity    | 12            | 4
        ordered_net         | 480           | 100
        delivered_quantity  | 12            | 1
        delivered_net       | 480           | 25
        cancelled_quantity  |               | 3
        cancelled_net       |               | 75
        invoiced_quantity   | 10            |
        invoiced_net        | 400           |
        external_references | {"erp":"p-1"} | {}
        """,
    ),
    given(*ORDER).then(
        OrderLineVersions,
        """
        position | line | order_id | quote_line | sku | description | quantity | net | tax_category | tax_rate
        1        | 1    | order 1  | 7          | P-1 | pump        | 10       | 400 | S            | 20
        1        | 2    | order 1  |            | V-1 | valve       | 4        | 100 | S            | 20
        2        | 1    | order 1  | 7          | P-1 | pump        | 12       | 480 | S            | 20
        2        | 2    | order 1  |            | V-1 | valve       | 4        | 100 | S            | 20
        """,
    ),
    given(*ORDER).then(
        OrderMovements,
        """
        position | line_no | order_id | order_line | kind      | quantity | amount | document_id
        1        | 1       | order 1  | 1          | ordered   | 10       | 400    |
        1        | 2       | order 1  | 2          | ordered   | 4        | 100    |
        2        | 1       | order 1  | 1          | amended   | 2        | 80     |
        3        | 1       | order 1  | 1          | delivered | 12       | 480    | delivery
        3        | 2       | order 1  | 2          | delivered | 1        | 25     | delivery
        5        | 1       | order 1  | 1          | invoiced  | 12       | 480    | invoice 1
        6        | 1       | order 1  | 1          | invoiced  | -2       | -80    | credit 1
        7        | 1       | order 1  | 2          | cancelled | 3        | 75     |
        """,
    ),
    given(*ORDER).then(
        Shipments,
        """
        position | shipment_id | order_id | carrier | tracking
        4        | parcel      | order 1  | DHL     | 47
        """,
    ),
    given(*CONTRACT).then(
        Contracts,
        """
        row                | 1
        contract_id        | contract
        customer_id        | Acme
        opportunity_id     | deal
        quote_id           | quote
        order_id           | order 1
        title              | care
        status             | terminated
        starts_on          | 2026-02-01
        ends_on            | 2027-06-30
        value              | 1300
        currency           | EUR
        notice_days        | 30
        auto_renew         | true
        signed_on          | 2026-01-05
        signed_by          | Ada
        terms              | monthly
        renewals           | 1
        terminated_on      | 2027-05-04
        termination_reason | moved away
        """,
    ),
    given(*CONTRACT).then(
        ContractVersions,
        """
        row         | 1          | 2          | 3
        position    | 1          | 2          | 3
        contract_id | contract   | contract   | contract
        kind        | signed     | renewed    | terminated
        ends_on     | 2027-01-31 | 2028-01-31 | 2027-06-30
        value       | 1200       | 1300       |
        currency    | EUR        | EUR        |
        title       | care       |            |
        starts_on   | 2026-02-01 |            |
        notice_days | 30         |            |
        auto_renew  | true       |            |
        reason      |            |            | moved away
        """,
    ),
)
