-- An order names no customer; the invoice that bills it names an account. Most quotes and orders name none, directly or through
-- an invoice: they are kept, under one customer who says so. Subjects repeat; with the subtotal each quote and its order have
-- exactly one another. Some orders were written down after they were billed: they were placed by then, and their quote was
-- accepted by then.
WITH read AS (
  SELECT SALESORDERID AS id, Subject AS subject_line, "Sales Order Owner" AS owner, Status AS status,
    CAST(ltc_time("Due Date", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS DATE) AS due,
    ltc_time("Created Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS created,
    ltc_time("Modified Time", '%d %b, %Y %H:%M:%S', '%d-%m-%Y %H:%M') AS modified,
    ltc_amount("Sub Total", '1,234.56', '$') AS subtotal
  FROM orders
)
SELECT read.*, ltc_id('order', read.id) AS "order", quotes.id AS quote_id, quotes.accepted, quotes.stage AS quote_stage,
  quotes.subtotal - quotes.discount AS quote_net, least(read.created, invoices.created) AS placed,
  ltc_id('customer', coalesce(accounts.name, '(not stated in the export)')) AS customer
FROM read JOIN quotes ON quotes.subject_line = read.subject_line AND quotes.subtotal = read.subtotal
LEFT JOIN invoices ON invoices.order_id = read.id LEFT JOIN accounts ON accounts.id = invoices.account_id
