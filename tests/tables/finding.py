"""By what things are found."""

from tests.small_company import id_of
from tests.tables.customers import CONTACT, LINKED, PLANNED, PROSPECT, REGISTERED, UPDATED
from tests.tables.documents import BILLED, CREDITED, FEE, MOVED_IN, RECEIVED
from tests.tables.leads import CAPTURED
from tests.tables.ordering import PLACED, SHIPPED, SIGNED
from tests.tables.selling import DRAFTED, OPENED
from tests.tables.specification import at, given

from ltc_events.projections.tables.search_terms import SearchTerms
from ltc_events.schemas.opportunity import TitleChanged


def row(*cells: str | int) -> str:
    return " | ".join(map(str, cells))


def id_row(position: int, line: int, kind: str, subject: str) -> str:
    """An id is found from its beginning alone."""
    id = str(id_of(subject))
    return row(position, line, kind, subject, "id", "", id, 1, id.replace("-", " "))


ROWS = (
    "position | line_no | kind | subject | means | system | term | word | search_term",
    row(1, 1, "campaign", "spring", "title", "", "spring", 1, "spring"),
    row(1, 2, "campaign", "spring", "reference", "crm", "c-1", 1, "c 1"),
    row(1, 3, "campaign", "spring", "reference", "crm", "c-1", 2, "1"),
    id_row(1, 4, "campaign", "spring"),
    row(2, 1, "customer", "Acme", "name", "", "Acme Ltd.", 1, "acme ltd"),
    row(2, 2, "customer", "Acme", "name", "", "Acme Ltd.", 2, "ltd"),
    row(2, 3, "customer", "Acme", "reference", "erp", "77", 1, "77"),
    id_row(2, 4, "customer", "Acme"),
    row(3, 1, "customer", "Acme", "name", "", "Acme GmbH", 1, "acme gmbh"),
    row(3, 2, "customer", "Acme", "name", "", "Acme GmbH", 2, "gmbh"),
    row(4, 1, "customer", "Bolt", "name", "", "Bolt", 1, "bolt"),
    id_row(4, 2, "customer", "Bolt"),
    row(5, 1, "customer", "Acme", "reference", "crm", "4711", 1, "4711"),
    row(6, 1, "customer", "Acme", "contact", "", "Ada", 1, "ada"),
    row(6, 2, "customer", "Acme", "email", "", "ada@acme.example", 1, "ada acme example"),
    row(6, 3, "customer", "Acme", "email", "", "ada@acme.example", 2, "acme example"),
    row(6, 4, "customer", "Acme", "email", "", "ada@acme.example", 3, "example"),
    row(7, 1, "lead", "lead 1", "name", "", "Acme", 1, "acme"),
    row(7, 2, "lead", "lead 1", "contact", "", "Ada", 1, "ada"),
    row(7, 3, "lead", "lead 1", "email", "", "ada@acme.example", 1, "ada acme example"),
    row(7, 4, "lead", "lead 1", "email", "", "ada@acme.example", 2, "acme example"),
    row(7, 5, "lead", "lead 1", "email", "", "ada@acme.example", 3, "example"),
    row(7, 6, "lead", "lead 1", "reference", "crm", "l-1", 1, "l 1"),
    row(7, 7, "lead", "lead 1", "reference", "crm", "l-1", 2, "1"),
    id_row(7, 8, "lead", "lead 1"),
    row(8, 1, "opportunity", "deal", "title", "", "pumps", 1, "pumps"),
    row(8, 2, "opportunity", "deal", "reference", "crm", "o-1", 1, "o 1"),
    row(8, 3, "opportunity", "deal", "reference", "crm", "o-1", 2, "1"),
    id_row(8, 4, "opportunity", "deal"),
    row(9, 1, "quote", "quote", "title", "", "pumps", 1, "pumps"),
    row(9, 2, "quote", "quote", "reference", "crm", "q-1", 1, "q 1"),
    row(9, 3, "quote", "quote", "reference", "crm", "q-1", 2, "1"),
    id_row(9, 4, "quote", "quote"),
    row(10, 1, "order", "order 1", "reference", "erp", "o-1", 1, "o 1"),
    row(10, 2, "order", "order 1", "reference", "erp", "o-1", 2, "1"),
    id_row(10, 3, "order", "order 1"),
    row(11, 1, "order", "order 1", "tracking", "", "47", 1, "47"),
    row(12, 1, "contract", "contract", "title", "", "care", 1, "care"),
    id_row(12, 2, "contract", "contract"),
    row(13, 1, "invoice", "invoice 1", "number", "", "INV-1", 1, "inv 1"),
    row(13, 2, "invoice", "invoice 1", "number", "", "INV-1", 2, "1"),
    row(13, 3, "invoice", "invoice 1", "reference", "erp", "i-1", 1, "i 1"),
    row(13, 4, "invoice", "invoice 1", "reference", "erp", "i-1", 2, "1"),
    id_row(13, 5, "invoice", "invoice 1"),
    row(14, 1, "credit_note", "credit 1", "number", "", "CN-1", 1, "cn 1"),
    row(14, 2, "credit_note", "credit 1", "number", "", "CN-1", 2, "1"),
    id_row(14, 3, "credit_note", "credit 1"),
    row(15, 1, "payment", "payment 1", "reference", "", "R 1", 1, "r 1"),
    row(15, 2, "payment", "payment 1", "reference", "", "R 1", 2, "1"),
    row(15, 3, "payment", "payment 1", "reference", "bank", "b-1", 1, "b 1"),
    row(15, 4, "payment", "payment 1", "reference", "bank", "b-1", 2, "1"),
    id_row(15, 5, "payment", "payment 1"),
    row(16, 1, "payment", "payment 2", "reference", "", "R 1", 1, "r 1"),
    row(16, 2, "payment", "payment 2", "reference", "", "R 1", 2, "1"),
    id_row(16, 3, "payment", "payment 2"),
    row(17, 1, "claim", "claim 1", "reference", "", "INV-1/1", 1, "inv 1 1"),
    row(17, 2, "claim", "claim 1", "reference", "", "INV-1/1", 2, "1 1"),
    row(17, 3, "claim", "claim 1", "reference", "", "INV-1/1", 3, "1"),
    id_row(17, 4, "claim", "claim 1"),
    row(18, 1, "opportunity", "deal", "title", "", "two presses", 1, "two presses"),
    row(18, 2, "opportunity", "deal", "title", "", "two presses", 2, "presses"),
)

SPECIFICATIONS = (
    given(
        at("spring", PLANNED, customer=None),
        REGISTERED,
        UPDATED,
        PROSPECT,
        LINKED,
        CONTACT,
        at("lead 1", CAPTURED),
        at("deal", OPENED),
        at("quote", DRAFTED),
        at("order 1", PLACED),
        at("order 1", SHIPPED, on="2026-01-20"),
        at("contract", SIGNED),
        BILLED,
        at("credit 1", CREDITED, on="2026-01-20"),
        at("payment 1", RECEIVED, on="2026-01-10"),
        at("payment 2", MOVED_IN, on="2026-02-02", customer="Bolt"),
        at("claim 1", FEE, on="2026-01-31"),
        at("deal", TitleChanged(was="pumps", title="two presses"), on="2026-02-03"),
    ).then(SearchTerms, "\n".join(ROWS)),
)
