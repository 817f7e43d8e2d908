"""Events of a small sale from order to cash, for the tests to start from and to change in one place."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.unit.specification import TODAY

from ltc_events.kernel.ids import derive_id
from ltc_events.schemas.invoice import Instalment, InvoiceIssued, InvoiceLine, TaxSubtotal
from ltc_events.schemas.order import LineAmount, LineQuantity, OrderDelivered, OrderLine, OrderLineRequest, OrderPlaced
from ltc_events.schemas.payment import PaymentReceived
from ltc_events.schemas.receivable import Part

ORDER = derive_id("test", "order")
INVOICE = derive_id("test", "invoice")
OTHER_INVOICE = derive_id("test", "other invoice")
PAYMENT = derive_id("test", "payment")
CREDIT_NOTE = derive_id("test", "credit note")
DELIVERY = derive_id("test", "delivery")
NUMBER = "INV-2026-000001"


def money(*amounts: str) -> tuple[Decimal, ...]:
    """Several amounts."""
    return tuple(map(Decimal, amounts))


def order_line(line: int = 1, quantity: str = "10", net: str = "100.00", **changes: Any) -> OrderLine:
    """Ten of something for 100, at 19 % tax."""
    fields: dict[str, Any] = {"sku": "mill", "description": "A mill", "tax_rate": Decimal(19), **changes}
    fields.setdefault("tax_category", "S" if fields["tax_rate"] else "Z")
    return OrderLine(line=line, quantity=Decimal(quantity), net=Decimal(net), **fields)


def line_request(line: int = 1, quantity: str = "10", unit_price: str = "10", **changes: Any) -> OrderLineRequest:
    """The same as it is asked for."""
    fields: dict[str, Any] = {"sku": "mill", "description": "A mill", "tax_rate": Decimal(19)}
    return OrderLineRequest(line=line, quantity=Decimal(quantity), unit_price=Decimal(unit_price), **{**fields, **changes})


def placed(*lines: OrderLine, **changes: Any) -> OrderPlaced:
    """An order in EUR that no quote stands behind."""
    lines = lines or (order_line(),)
    net = sum((line.net for line in lines), Decimal(0))
    fields: dict[str, Any] = {"currency": "EUR", "discount_total": Decimal(0), "reason": "by telephone"}
    return OrderPlaced(lines=lines, net=net, **{**fields, **changes})


def amounts(*parts: tuple[int, str, str]) -> tuple[LineAmount, ...]:
    """Line, quantity and amount of each."""
    return tuple(LineAmount(line=line, quantity=Decimal(quantity), amount=Decimal(amount)) for line, quantity, amount in parts)


def quantities(*parts: tuple[int, str]) -> tuple[LineQuantity, ...]:
    """Line and quantity of each."""
    return tuple(LineQuantity(line=line, quantity=Decimal(quantity)) for line, quantity in parts)


def delivered(*parts: tuple[int, str, str], complete: bool = False, delivery_id: UUID = DELIVERY) -> OrderDelivered:
    """A delivery of these lines, quantities and amounts."""
    lines = amounts(*parts)
    amount = sum((line.amount for line in lines), Decimal(0))
    return OrderDelivered(delivery_id=delivery_id, currency="EUR", lines=lines, amount=amount, complete=complete)


def issued(*parts: str, rate: int = 0, issued_on: date = TODAY, **changes: Any) -> InvoiceIssued:
    """An invoice of one line with instalments of these amounts, due 30, 60, 90 … days later; `rate` is included in them."""
    payable = sum(money(*parts), Decimal(0))
    net = (payable * 100 / (100 + rate)).quantize(Decimal("0.01"))
    line = InvoiceLine(
        line=1,
        order_line=1,
        sku="mill",
        description="A mill",
        quantity=Decimal(10),
        net=net,
        tax_category="S",
        tax_rate=Decimal(rate),
    )
    fields: dict[str, Any] = {
        "number": NUMBER,
        "order_id": ORDER,
        "currency": "EUR",
        "lines": (line,),
        "taxes": (TaxSubtotal(category="S", rate=Decimal(rate), taxable=net, tax=payable - net),),
        "line_total": net,
        "allowance_total": Decimal(0),
        "charge_total": Decimal(0),
        "net": net,
        "tax": payable - net,
        "gross": payable,
        "prepaid": Decimal(0),
        "rounding": Decimal(0),
        "payable": payable,
        "instalments": tuple(
            Instalment(number=number, due_on=issued_on + timedelta(days=30 * number), amount=Decimal(amount))
            for number, amount in enumerate(parts, 1)
        ),
        "rounding_method": "document",
        "billing_version": 0,
        "terms_version": 0,
    }
    return InvoiceIssued(**{**fields, **changes})


def received(amount: str, currency: str = "EUR") -> PaymentReceived:
    """Money that came in by transfer."""
    return PaymentReceived(amount=Decimal(amount), currency=currency, method="transfer")


def parts_of(*parts: tuple[int, str]) -> tuple[Part, ...]:
    """Instalment and amount of each."""
    return tuple(Part(instalment=instalment, amount=Decimal(amount)) for instalment, amount in parts)
