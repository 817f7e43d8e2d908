"""The totals of e-invoices that others wrote come out of our arithmetic (EN 16931 BR-CO-10 … BR-CO-17)."""

from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest
from tests.unit.shared_data import SHARED_DATA, need

from ltc_events.aggregates.document_math import totals
from ltc_events.schemas.invoice import DocumentCharge

FOLDER = SHARED_DATA / "en16931_examples"
FILES = sorted(FOLDER.glob("*.xml"))
_CBC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2}"
_CAC = "{urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2}"


class Line(NamedTuple):
    """What `totals` reads of a line."""

    net: Decimal
    tax_category: str
    tax_rate: Decimal


def amount(element: ET.Element, name: str) -> Decimal:
    found = element.find(f"{_CBC}{name}")
    return Decimal(0) if found is None or not found.text else Decimal(found.text)


def text(element: ET.Element, path: str) -> str:
    found = element.find(path)
    assert found is not None, path
    return (found.text or "").strip()


def is_charge(element: ET.Element) -> bool:
    return text(element, f"{_CBC}ChargeIndicator") in ("true", "1")


def category(element: ET.Element, name: str) -> tuple[str, Decimal]:
    tax = element.find(f"{_CAC}{name}")
    assert tax is not None
    return text(tax, f"{_CBC}ID"), amount(tax, "Percent")


def read(path: Path) -> tuple[ET.Element, str, list[Line], list[DocumentCharge], list[DocumentCharge]]:
    """The document, its currency, its lines, and its allowances and charges."""
    root = ET.parse(path).getroot()
    kind = "CreditNoteLine" if root.tag.endswith("}CreditNote") else "InvoiceLine"
    lines = []
    for line in root.findall(f"{_CAC}{kind}"):
        item = line.find(f"{_CAC}Item")
        assert item is not None
        lines.append(Line(amount(line, "LineExtensionAmount"), *category(item, "ClassifiedTaxCategory")))
    allowances: list[DocumentCharge] = []
    charges: list[DocumentCharge] = []
    for one in root.findall(f"{_CAC}AllowanceCharge"):
        code, rate = category(one, "TaxCategory")
        charge = DocumentCharge(amount=amount(one, "Amount"), reason="as stated", tax_category=code, tax_rate=rate)
        (charges if is_charge(one) else allowances).append(charge)
    return root, text(root, f"{_CBC}DocumentCurrencyCode"), lines, allowances, charges


@need("en16931_examples")
def test_the_examples_are_there() -> None:
    assert len(FILES) == 17, "the folder has 18 files, one of them the licence"


@need("en16931_examples")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_totals_come_out_as_stated(path: Path) -> None:
    root, currency, lines, allowances, charges = read(path)
    stated = root.find(f"{_CAC}LegalMonetaryTotal")
    assert stated is not None
    total = totals(lines, allowances, charges, currency, "document")
    assert total.line_total == amount(stated, "LineExtensionAmount")
    assert total.allowance_total == amount(stated, "AllowanceTotalAmount")
    assert total.charge_total == amount(stated, "ChargeTotalAmount")
    assert total.net == amount(stated, "TaxExclusiveAmount")
    assert total.gross == amount(stated, "TaxInclusiveAmount")
    payable = total.gross - amount(stated, "PrepaidAmount") + amount(stated, "PayableRoundingAmount")
    assert payable == amount(stated, "PayableAmount")


@need("en16931_examples")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_tax_comes_out_per_category_and_rate(path: Path) -> None:
    root, currency, lines, allowances, charges = read(path)
    taxes = totals(lines, allowances, charges, currency, "document").taxes
    ours = {(tax.category, tax.rate): (tax.taxable, tax.tax) for tax in taxes}
    tax_total = next(one for one in root.findall(f"{_CAC}TaxTotal") if one.find(f"{_CAC}TaxSubtotal") is not None)
    theirs = {
        category(one, "TaxCategory"): (amount(one, "TaxableAmount"), amount(one, "TaxAmount"))
        for one in tax_total.findall(f"{_CAC}TaxSubtotal")
    }
    assert ours == theirs
