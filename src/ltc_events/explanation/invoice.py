"""The story of an invoice: campaign, lead, opportunity, quote, order, invoice, cash; every sum worked out again."""

from datetime import date
from decimal import Decimal

from ltc_events.aggregates.document_math import totals
from ltc_events.explanation import cash, selling
from ltc_events.explanation.chain import Chain, Lens, event_of, follow, is_whole
from ltc_events.explanation.claims import open_claims
from ltc_events.explanation.story import Node, Story
from ltc_events.kernel.money import HUNDRED, ZERO, round_half_up
from ltc_events.schemas.invoice import InvoiceIssued, InvoiceLine
from ltc_events.schemas.order import OrderPlaced
from ltc_events.schemas.record import Record
from ltc_events.store import EventStore


def explain_invoice(store: EventStore, number: str, as_of: date, position: int) -> Story:
    """Tell an invoice's story as of a business date, as known at a position: at the end of the command that has an event there.

    Reads the store alone, never the read tables. Raises UnknownInvoice, NotYetAnInvoice or NotAnInvoice.
    R-65, R-70.
    """
    position = store.command_end(position)
    chain = follow(Lens(store, as_of, position), number)
    issued = event_of(chain.invoice, InvoiceIssued)
    if issued is None:
        raise TypeError(f"the stream of {number} does not begin with an invoice")
    root = Node(f"Invoice {number}", amount=issued.payable, currency=issued.currency)
    selling.add_campaign(root, chain)
    selling.add_lead(root, chain)
    selling.add_opportunity(root, chain)
    selling.add_quote(root, chain)
    selling.add_order(root, chain)
    _add_invoice(root, chain, chain.invoice[0], issued)
    balance = cash.add_cash(root, chain, issued)
    root.add(f"Balance as of {as_of}", amount=balance, currency=issued.currency)
    if chain.claims:
        root.add(f"Claims beside it as of {as_of}", amount=open_claims(chain), currency=issued.currency)
    return Story(number, as_of, position, balance, issued.currency, root)


def _add_invoice(root: Node, chain: Chain, record: Record, issued: InvoiceIssued) -> None:
    node = root.add(
        f"Issued as {issued.number}{_elsewhere(issued)}, tax rounded per {issued.rounding_method}",
        record,
        amount=issued.payable,
        currency=issued.currency,
        policies={"billing": issued.billing_version, "payment_terms": issued.terms_version},
    )
    _add_lines(node, chain, issued)
    for allowance in issued.allowances:
        node.add(f"Allowance: {allowance.reason}", amount=-allowance.amount, currency=issued.currency)
    for charge in issued.charges:
        node.add(f"Charge: {charge.reason}", amount=charge.amount, currency=issued.currency)
    for tax in issued.taxes:
        part = node.add(f"Tax {tax.category} {tax.rate} % on {tax.taxable}", amount=tax.tax, currency=issued.currency)
        if issued.rounding_method == "document":
            rounded = round_half_up(tax.taxable * tax.rate / HUNDRED, issued.currency)
            part.check("tax on its taxable amount (BR-CO-17)", rounded, tax.tax)
    for instalment in issued.instalments:
        node.add(f"Instalment {instalment.number}, due {instalment.due_on}", amount=instalment.amount, currency=issued.currency)
    _check_totals(node, issued)


def _elsewhere(issued: InvoiceIssued) -> str:
    """What other systems call it."""
    return f" ({', '.join(f'{system} {number}' for system, number in issued.references.items())})" if issued.references else ""


def _add_lines(node: Node, chain: Chain, issued: InvoiceIssued) -> None:
    placed = event_of(chain.order, OrderPlaced)
    ordered = {line.line for line in placed.lines} if placed else set()
    is_told = bool(chain.order) and is_whole(chain.order, chain.order[-1].version)
    for line in issued.lines:
        node.add(f"{_line(line)}", amount=line.net, currency=issued.currency)
        if is_told and line.order_line not in ordered and not _amended(chain, line.order_line):
            node.check(f"line {line.line} comes from order line {line.order_line}", ZERO, line.net)


def _line(line: InvoiceLine) -> str:
    source = f"order line {line.order_line}" + (f", quote line {line.quote_line}" if line.quote_line else "")
    return f"Line {line.line}: {line.quantity.normalize():f} × {line.description} ({line.sku}), from {source}"


def _amended(chain: Chain, order_line: int) -> bool:
    return any(order_line in {line.line for line in getattr(one.event, "lines", ())} for one in chain.order)


def _check_totals(node: Node, issued: InvoiceIssued) -> None:
    """EN 16931 BR-CO-10 … BR-CO-17 (tax per line and added up, where the invoice says so), and the instalments."""

    def total(amounts: list[Decimal]) -> Decimal:
        return sum(amounts, ZERO)

    node.check("sum of line net amounts (BR-CO-10)", total([line.net for line in issued.lines]), issued.line_total)
    node.check("sum of allowances (BR-CO-11)", total([one.amount for one in issued.allowances]), issued.allowance_total)
    node.check("sum of charges (BR-CO-12)", total([one.amount for one in issued.charges]), issued.charge_total)
    net = issued.line_total - issued.allowance_total + issued.charge_total
    node.check("total without tax (BR-CO-13)", net, issued.net)
    if issued.rounding_method == "line":
        by_line = totals(issued.lines, issued.allowances, issued.charges, issued.currency, "line")
        node.check("tax of each line, allowance and charge", by_line.tax, issued.tax)
    node.check("total tax (BR-CO-14)", total([tax.tax for tax in issued.taxes]), issued.tax)
    node.check("taxable amounts", issued.net, total([tax.taxable for tax in issued.taxes]))
    node.check("total with tax (BR-CO-15)", issued.net + issued.tax, issued.gross)
    node.check("amount due (BR-CO-16)", issued.gross - issued.prepaid + issued.rounding, issued.payable)
    node.check("instalments", total([part.amount for part in issued.instalments]), issued.payable)
