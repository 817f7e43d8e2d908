"""Payments, claims, what is open, the journal, and the bridge from won amount to cash."""

from decimal import Decimal

from tests.small_company import id_of
from tests.tables.billing import CREDIT_USED, PAID, UNPAID
from tests.tables.documents import BILLED, CASH_MOVED, CASH_USE, CLAIM_USE, CLAIMED, CREDIT, DEAL, WRITE_OFF
from tests.tables.ordering import ORDER
from tests.tables.selling import DEAL as WON
from tests.tables.specification import at, given

from ltc_events.projections.tables.claims import Claims
from ltc_events.projections.tables.journal import Journal
from ltc_events.projections.tables.open_item_movements import OpenItemMovements
from ltc_events.projections.tables.open_items import OpenItems
from ltc_events.projections.tables.payment_movements import PaymentMovements
from ltc_events.projections.tables.payments import Payments
from ltc_events.projections.tables.revenue_bridge import RevenueBridge
from ltc_events.schemas.opportunity import OpportunityReopened
from ltc_events.schemas.quote import QuoteAccepted

ACCEPTED = QuoteAccepted(revision=2, opportunity_id=DEAL, net=Decimal(550), currency="EUR", accepted_by="Ada")
REOPENED = OpportunityReopened(
    was="won",
    stage="proposal",
    probability=Decimal(50),
    amount=Decimal(1150),
    currency="EUR",
    quote_id=id_of("quote"),
    reason="by mistake",
    policy_version=2,
)
BOOKS = (BILLED, *WRITE_OFF, *CREDIT, CLAIMED, *CASH_USE, *CASH_MOVED, *CLAIM_USE)
BRIDGE = (
    at("quote", ACCEPTED, on="2026-01-04"),
    *ORDER,
    BILLED,
    at("invoice 1", PAID, UNPAID, *CREDIT_USED, on="2026-01-20"),
    *WRITE_OFF,
    *CREDIT,
    *CASH_USE,
    *CASH_MOVED,
    *WON,
    at("deal", REOPENED, on="2026-03-01"),
)

SPECIFICATIONS = (
    given(*CASH_USE, *CASH_MOVED).then(
        Payments,
        """
        row                 | 1          | 2
        payment_id          | payment 2  | payment 1
        customer_id         | Bolt       | Acme
        status              | returned   | returned
        received_on         | 2026-01-05 | 2026-01-10
        amount              | 13         | 100
        currency            | EUR        | EUR
        method              | transfer   | transfer
        reference           | R 1        | R 1
        payer               | Acme Ltd.  | Acme Ltd.
        allocated           |            | 33
        moved               |            | 13
        returned            | 13         | 100
        refunded            | 6          |
        claimed             | 6          | 46
        moved_from          | payment 1  |
        external_references | {}         | {"bank":"b-1"}
        """,
    ),
    given(*CASH_USE).then(
        PaymentMovements,
        """
        position | payment_id | kind                   | amount | currency | invoice_id | reason
        1        | payment 1  | received               | 100    | EUR      |            |
        2        | payment 1  | allocated              | -40    | EUR      | invoice 1  |
        3        | payment 1  | unallocated            | 10     | EUR      | invoice 1  | another invoice
        4        | payment 1  | refunded               | -70    | EUR      |            | twice
        5        | payment 1  | refund_failed          | 70     | EUR      |            | account closed
        6        | payment 1  | allocated_to_claim     | -5     | EUR      |            |
        7        | payment 1  | unallocated_from_claim | 2      | EUR      |            | goodwill
        """,
    ),
    given(*CASH_MOVED).then(
        PaymentMovements,
        """
        row               | 1            | 2              | 3             | 4         | 5         | 6          | 7
        position          | 1            | 2              | 3             | 4         | 5         | 6          | 7
        payment_id        | payment 1    | payment 1      | payment 1     | payment 2 | payment 2 | payment 2  | payment 1
        kind              | moved_out    | move_cancelled | move_recalled | moved_in  | refunded  | moved_back | returned
        amount            | -20          | 4              | 3             | 13        | -6        | -7         | -54
        currency          | EUR          | EUR            | EUR           | EUR       | EUR       | EUR        | EUR
        reason            | it is theirs | not all of it  | recalled      |           | too much  | recalled   | no cover
        other_payment_id  | payment 2    | payment 2      | payment 2     | payment 1 |           | payment 1  |
        other_customer_id | Bolt         |                |               | Acme      |           |            |
        in_transit        | 20           | -4             | -3            | -13       |           | 13         |
        """,
    ),
    given(CLAIMED, *CLAIM_USE).then(
        Claims,
        """
        row         | 1           | 2
        claim_id    | claim 1     | claim 3
        customer_id | Acme        | Acme
        kind        | dunning_fee | returned_payment
        reference   | INV-1/1     | R 1
        invoice_id  | invoice 1   |
        instalment  | 1           |
        payment_id  |             | payment 1
        raised_on   | 2026-01-31  | 2026-02-08
        due_on      | 2026-02-20  | 2026-02-20
        currency    | EUR         | EUR
        amount      | 7.5         | 46
        paid        | 3           |
        waived      | 4.5         | 46
        balance     | 0           | 0
        """,
    ),
    given(*BOOKS).then(
        OpenItems,
        """
        row           | 1          | 2          | 3          | 4          | 5           | 6         | 7          | 8
        item_id       | invoice 1  | invoice 1  | claim 1    | claim 3    | credit 1    | invoice 2 | payment 2  | payment 1
        instalment    | 1          | 2          | 0          | 0          | 0           | 1         | 0          | 0
        kind          | invoice    | invoice    | claim      | claim      | credit_note |           | payment    | payment
        number        | INV-1      | INV-1      | INV-1/1    | R 1        | CN-1        |           | R 1        | R 1
        customer_id   | Acme       | Acme       | Acme       | Acme       | Acme        |           | Bolt       | Acme
        currency      | EUR        | EUR        | EUR        | EUR        | EUR         |           | EUR        | EUR
        document_on   | 2026-01-05 | 2026-01-05 | 2026-01-31 | 2026-02-08 | 2026-01-20  |           | 2026-01-05 | 2026-01-10
        due_on        | 2026-02-04 | 2026-03-06 | 2026-02-20 | 2026-02-20 | 2026-01-20  |           | 2026-01-05 | 2026-01-10
        invoiced      | 60         | 60         | 7.5        | 46         |             |           |            |
        paid          | 30         |            | 3          |            |             | 4         |            |
        credited      | 24         | 12         |            |            | 32          |           |            |
        written_off   |            | 12         | 4.5        | 46         |             |           |            |
        outstanding   | 6          | 36         |            |            | -32         | -4        |            |
        last_position | 12         | 4          | 26         | 28         | 8           | 6         | 22         | 23
        """,
    ),
    given(*BOOKS).then(
        OpenItemMovements,
        """
        position | line_no | item_id   | instalment | item        | kind           | amount | currency | document_id
        1        | 1       | invoice 1 | 1          | invoice     | invoiced       | 60     | EUR      |
        1        | 2       | invoice 1 | 2          | invoice     | invoiced       | 60     | EUR      |
        2        | 1       | invoice 1 | 2          | invoice     | written_off    | -36    | EUR      |
        3        | 1       | invoice 1 | 2          | invoice     | written_off    | 12     | EUR      | payment 1
        4        | 1       | invoice 1 | 1          | invoice     | credited       | -24    | EUR      | credit 1
        4        | 2       | invoice 1 | 2          | invoice     | credited       | -12    | EUR      | credit 1
        4        | 3       | invoice 1 | 2          | invoice     | written_off    | 12     | EUR      | credit 1
        4        | 4       | credit 1  | 0          | credit_note | issued         | -36    | EUR      | invoice 1
        5        | 1       | credit 1  | 0          | credit_note | applied        | 7      | EUR      | invoice 2
        5        | 2       | invoice 2 | 1          | invoice     | credit_applied | -7     | EUR      | credit 1
        6        | 1       | credit 1  | 0          | credit_note | unapplied      | -3     | EUR      | invoice 2
        6        | 2       | invoice 2 | 1          | invoice     | credit_removed | 3      | EUR      | credit 1
        7        | 1       | credit 1  | 0          | credit_note | refunded       | 32     | EUR      |
        8        | 1       | credit 1  | 0          | credit_note | refund_failed  | -32    | EUR      |
        9        | 1       | claim 1   | 0          | claim       | claimed        | 7.5    | EUR      | invoice 1
        10       | 1       | payment 1 | 0          | payment     | received       | -100   | EUR      |
        11       | 1       | payment 1 | 0          | payment     | allocated      | 40     | EUR      | invoice 1
        11       | 2       | invoice 1 | 1          | invoice     | paid           | -40    | EUR      | payment 1
        12       | 1       | payment 1 | 0          | payment     | unallocated    | -10    | EUR      | invoice 1
        12       | 2       | invoice 1 | 1          | invoice     | unallocated    | 10     | EUR      | payment 1
        13       | 1       | payment 1 | 0          | payment     | refunded       | 70     | EUR      |
        14       | 1       | payment 1 | 0          | payment     | refund_failed  | -70    | EUR      |
        15       | 1       | payment 1 | 0          | payment     | allocated      | 5      | EUR      | claim 1
        15       | 2       | claim 1   | 0          | claim       | paid           | -5     | EUR      | payment 1
        16       | 1       | payment 1 | 0          | payment     | unallocated    | -2     | EUR      | claim 1
        16       | 2       | claim 1   | 0          | claim       | unpaid         | 2      | EUR      | payment 1
        17       | 1       | payment 1 | 0          | payment     | moved_out      | 20     | EUR      | payment 2
        18       | 1       | payment 1 | 0          | payment     | move_cancelled | -4     | EUR      | payment 2
        19       | 1       | payment 1 | 0          | payment     | move_recalled  | -3     | EUR      | payment 2
        20       | 1       | payment 2 | 0          | payment     | moved_in       | -13    | EUR      | payment 1
        21       | 1       | payment 2 | 0          | payment     | refunded       | 6      | EUR      |
        22       | 1       | payment 2 | 0          | payment     | moved_back     | 7      | EUR      | payment 1
        23       | 1       | payment 1 | 0          | payment     | returned       | 54     | EUR      |
        26       | 1       | claim 1   | 0          | claim       | written_off    | -4.5   | EUR      |
        27       | 1       | claim 3   | 0          | claim       | claimed        | 46     | EUR      | payment 1
        28       | 1       | claim 3   | 0          | claim       | written_off    | -46    | EUR      |
        """,
    ),
    given(*BOOKS).then(
        Journal,
        """
        position | line_no | account             | amount | currency | document    | document_id | invoice_id
        1        | 1       | receivables         | 120    | EUR      | invoice     | invoice 1   | invoice 1
        1        | 2       | revenue             | -100   | EUR      | invoice     | invoice 1   | invoice 1
        1        | 3       | tax_payable         | -20    | EUR      | invoice     | invoice 1   | invoice 1
        2        | 1       | bad_debt            | 30     | EUR      | invoice     | invoice 1   | invoice 1
        2        | 2       | tax_payable         | 6      | EUR      | invoice     | invoice 1   | invoice 1
        2        | 3       | receivables         | -36    | EUR      | invoice     | invoice 1   | invoice 1
        3        | 1       | receivables         | 12     | EUR      | invoice     | invoice 1   | invoice 1
        3        | 2       | bad_debt            | -10    | EUR      | invoice     | invoice 1   | invoice 1
        3        | 3       | tax_payable         | -2     | EUR      | invoice     | invoice 1   | invoice 1
        4        | 1       | revenue             | 60     | EUR      | credit_note | credit 1    | invoice 1
        4        | 2       | tax_payable         | 10     | EUR      | credit_note | credit 1    | invoice 1
        4        | 3       | receivables         | -24    | EUR      | credit_note | credit 1    | invoice 1
        4        | 4       | bad_debt            | -10    | EUR      | credit_note | credit 1    | invoice 1
        4        | 5       | customer_credits    | -36    | EUR      | credit_note | credit 1    | invoice 1
        5        | 1       | customer_credits    | 7      | EUR      | credit_note | credit 1    | invoice 2
        5        | 2       | receivables         | -7     | EUR      | credit_note | credit 1    | invoice 2
        6        | 1       | receivables         | 3      | EUR      | credit_note | credit 1    | invoice 2
        6        | 2       | customer_credits    | -3     | EUR      | credit_note | credit 1    | invoice 2
        7        | 1       | customer_credits    | 32     | EUR      | credit_note | credit 1    |
        7        | 2       | cash                | -32    | EUR      | credit_note | credit 1    |
        8        | 1       | cash                | 32     | EUR      | credit_note | credit 1    |
        8        | 2       | customer_credits    | -32    | EUR      | credit_note | credit 1    |
        9        | 1       | customer_claims     | 7.5    | EUR      | claim       | claim 1     | invoice 1
        9        | 2       | dunning_fees        | -7.5   | EUR      | claim       | claim 1     | invoice 1
        10       | 1       | cash                | 100    | EUR      | payment     | payment 1   |
        10       | 2       | unapplied_cash      | -100   | EUR      | payment     | payment 1   |
        11       | 1       | unapplied_cash      | 40     | EUR      | payment     | payment 1   | invoice 1
        11       | 2       | receivables         | -40    | EUR      | payment     | payment 1   | invoice 1
        12       | 1       | receivables         | 10     | EUR      | payment     | payment 1   | invoice 1
        12       | 2       | unapplied_cash      | -10    | EUR      | payment     | payment 1   | invoice 1
        13       | 1       | unapplied_cash      | 70     | EUR      | payment     | payment 1   |
        13       | 2       | cash                | -70    | EUR      | payment     | payment 1   |
        14       | 1       | cash                | 70     | EUR      | payment     | payment 1   |
        14       | 2       | unapplied_cash      | -70    | EUR      | payment     | payment 1   |
        15       | 1       | unapplied_cash      | 5      | EUR      | payment     | payment 1   |
        15       | 2       | customer_claims     | -5     | EUR      | payment     | payment 1   |
        16       | 1       | customer_claims     | 2      | EUR      | payment     | payment 1   |
        16       | 2       | unapplied_cash      | -2     | EUR      | payment     | payment 1   |
        17       | 1       | unapplied_cash      | 20     | EUR      | payment     | payment 1   |
        17       | 2       | payments_in_transit | -20    | EUR      | payment     | payment 1   |
        18       | 1       | payments_in_transit | 4      | EUR      | payment     | payment 1   |
        18       | 2       | unapplied_cash      | -4     | EUR      | payment     | payment 1   |
        19       | 1       | payments_in_transit | 3      | EUR      | payment     | payment 1   |
        19       | 2       | unapplied_cash      | -3     | EUR      | payment     | payment 1   |
        20       | 1       | payments_in_transit | 13     | EUR      | payment     | payment 2   |
        20       | 2       | unapplied_cash      | -13    | EUR      | payment     | payment 2   |
        21       | 1       | unapplied_cash      | 6      | EUR      | payment     | payment 2   |
        21       | 2       | cash                | -6     | EUR      | payment     | payment 2   |
        22       | 1       | unapplied_cash      | 7      | EUR      | payment     | payment 2   |
        22       | 2       | customer_claims     | 6      | EUR      | payment     | payment 2   |
        22       | 3       | payments_in_transit | -13    | EUR      | payment     | payment 2   |
        23       | 1       | unapplied_cash      | 54     | EUR      | payment     | payment 1   |
        23       | 2       | customer_claims     | 46     | EUR      | payment     | payment 1   |
        23       | 3       | cash                | -100   | EUR      | payment     | payment 1   |
        26       | 1       | dunning_fees        | 4.5    | EUR      | claim       | claim 1     |
        26       | 2       | customer_claims     | -4.5   | EUR      | claim       | claim 1     |
        28       | 1       | bad_debt            | 46     | EUR      | claim       | claim 3     |
        28       | 2       | customer_claims     | -46    | EUR      | claim       | claim 3     |
        """,
    ),
    given(*BRIDGE).then(
        RevenueBridge,
        """
        position | line_no | opportunity_id | term            | amount | currency | document_id | order_id | quote_id
        1        | 1       | deal           | scope_change    | -550   | EUR      | quote       |          | quote
        1        | 2       | deal           | not_ordered     | 550    | EUR      | quote       |          | quote
        2        | 1       | deal           | not_ordered     | -500   | EUR      | order 1     | order 1  | quote
        2        | 2       | deal           | not_delivered   | 500    | EUR      | order 1     | order 1  | quote
        2        | 3       | deal           | scope_change    | -50    | EUR      | order 1     | order 1  | quote
        2        | 4       | deal           | discount        | 50     | EUR      | order 1     | order 1  | quote
        3        | 1       | deal           | amended         | -80    | EUR      | order 1     | order 1  |
        3        | 2       | deal           | not_delivered   | 80     | EUR      | order 1     | order 1  |
        4        | 1       | deal           | not_delivered   | -505   | EUR      | order 1     | order 1  |
        4        | 2       | deal           | not_billed      | 505    | EUR      | order 1     | order 1  |
        7        | 1       | deal           | credited        | -80    | EUR      | order 1     | order 1  |
        7        | 2       | deal           | not_billed      | 80     | EUR      | order 1     | order 1  |
        8        | 1       | deal           | not_delivered   | -75    | EUR      | order 1     | order 1  |
        8        | 2       | deal           | cancelled       | 75     | EUR      | order 1     | order 1  |
        9        | 1       | deal           | not_billed      | -100   | EUR      | invoice 1   | order 1  |
        9        | 2       | deal           | tax             | -20    | EUR      | invoice 1   | order 1  |
        9        | 3       | deal           | unpaid          | 120    | EUR      | invoice 1   | order 1  |
        10       | 1       | deal           | unpaid          | -54    | EUR      | invoice 1   |          |
        10       | 2       | deal           | cash            | 54     | EUR      | invoice 1   |          |
        10       | 3       |                | unapplied       | 54     | EUR      | invoice 1   |          |
        10       | 4       |                | cash            | -54    | EUR      | invoice 1   |          |
        11       | 1       | deal           | unpaid          | 10     | EUR      | invoice 1   |          |
        11       | 2       | deal           | cash            | -10    | EUR      | invoice 1   |          |
        11       | 3       |                | unapplied       | -10    | EUR      | invoice 1   |          |
        11       | 4       |                | cash            | 10     | EUR      | invoice 1   |          |
        12       | 1       | deal           | unpaid          | -20    | EUR      | invoice 1   |          |
        12       | 2       | deal           | cash            | 20     | EUR      | invoice 1   |          |
        12       | 3       |                | unapplied       | 20     | EUR      | invoice 1   |          |
        12       | 4       |                | cash            | -20    | EUR      | invoice 1   |          |
        13       | 1       | deal           | unpaid          | 4      | EUR      | invoice 1   |          |
        13       | 2       | deal           | cash            | -4     | EUR      | invoice 1   |          |
        13       | 3       |                | unapplied       | -4     | EUR      | invoice 1   |          |
        13       | 4       |                | cash            | 4      | EUR      | invoice 1   |          |
        14       | 1       | deal           | unpaid          | -36    | EUR      | invoice 1   |          |
        14       | 2       | deal           | written_off     | 30     | EUR      | invoice 1   |          |
        14       | 3       | deal           | tax             | 6      | EUR      | invoice 1   |          |
        15       | 1       | deal           | unpaid          | 12     | EUR      | invoice 1   |          |
        15       | 2       | deal           | written_off     | -10    | EUR      | invoice 1   |          |
        15       | 3       | deal           | tax             | -2     | EUR      | invoice 1   |          |
        16       | 1       | deal           | unpaid          | -24    | EUR      | credit 1    |          |
        16       | 2       | deal           | written_off     | -10    | EUR      | credit 1    |          |
        16       | 3       | deal           | customer_credit | -36    | EUR      | credit 1    |          |
        16       | 4       | deal           | credited        | 60     | EUR      | credit 1    |          |
        16       | 5       | deal           | tax             | 10     | EUR      | credit 1    |          |
        17       | 1       | deal           | customer_credit | 7      | EUR      | credit 1    |          |
        17       | 2       | deal           | cash            | -7     | EUR      | credit 1    |          |
        17       | 3       |                | unapplied       | -7     | EUR      | credit 1    |          |
        17       | 4       |                | cash            | 7      | EUR      | credit 1    |          |
        18       | 1       | deal           | customer_credit | -3     | EUR      | credit 1    |          |
        18       | 2       | deal           | cash            | 3      | EUR      | credit 1    |          |
        18       | 3       |                | unapplied       | 3      | EUR      | credit 1    |          |
        18       | 4       |                | cash            | -3     | EUR      | credit 1    |          |
        19       | 1       | deal           | customer_credit | 32     | EUR      | credit 1    |          |
        19       | 2       | deal           | cash            | -32    | EUR      | credit 1    |          |
        20       | 1       | deal           | customer_credit | -32    | EUR      | credit 1    |          |
        20       | 2       | deal           | cash            | 32     | EUR      | credit 1    |          |
        21       | 1       |                | unapplied       | -100   | EUR      | payment 1   |          |
        21       | 2       |                | cash            | 100    | EUR      | payment 1   |          |
        24       | 1       |                | unapplied       | 70     | EUR      | payment 1   |          |
        24       | 2       |                | cash            | -70    | EUR      | payment 1   |          |
        25       | 1       |                | unapplied       | -70    | EUR      | payment 1   |          |
        25       | 2       |                | cash            | 70     | EUR      | payment 1   |          |
        26       | 1       |                | unapplied       | 5      | EUR      | payment 1   |          |
        26       | 2       |                | claims          | -5     | EUR      | payment 1   |          |
        27       | 1       |                | unapplied       | -2     | EUR      | payment 1   |          |
        27       | 2       |                | claims          | 2      | EUR      | payment 1   |          |
        28       | 1       |                | unapplied       | 20     | EUR      | payment 1   |          |
        28       | 2       |                | in_transit      | -20    | EUR      | payment 1   |          |
        29       | 1       |                | in_transit      | 4      | EUR      | payment 1   |          |
        29       | 2       |                | unapplied       | -4     | EUR      | payment 1   |          |
        30       | 1       |                | in_transit      | 3      | EUR      | payment 1   |          |
        30       | 2       |                | unapplied       | -3     | EUR      | payment 1   |          |
        31       | 1       |                | in_transit      | 13     | EUR      | payment 2   |          |
        31       | 2       |                | unapplied       | -13    | EUR      | payment 2   |          |
        32       | 1       |                | unapplied       | 6      | EUR      | payment 2   |          |
        32       | 2       |                | cash            | -6     | EUR      | payment 2   |          |
        33       | 1       |                | unapplied       | 7      | EUR      | payment 2   |          |
        33       | 2       |                | claims          | 6      | EUR      | payment 2   |          |
        33       | 3       |                | in_transit      | -13    | EUR      | payment 2   |          |
        34       | 1       |                | unapplied       | 54     | EUR      | payment 1   |          |
        34       | 2       |                | claims          | 46     | EUR      | payment 1   |          |
        34       | 3       |                | cash            | -100   | EUR      | payment 1   |          |
        41       | 1       | deal           | won             | -1150  | EUR      | deal        |          |
        41       | 2       | deal           | scope_change    | 1150   | EUR      | deal        |          |
        42       | 1       | deal           | won             | 1150   | EUR      | deal        |          |
        42       | 2       | deal           | scope_change    | -1150  | EUR      | deal        |          |
        """,
    ),
)
