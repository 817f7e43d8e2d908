-- name: from_term
-- In the order of the index, from the term on: whoever asks stops where terms begin otherwise.
SELECT search_term, kind, subject, customer_id, means, system, term, word, position
FROM ltc_read.search_terms
WHERE search_term >= %(form)s
ORDER BY search_term
LIMIT %(limit)s

-- name: before_term
SELECT search_term, kind, subject, customer_id, means, system, term, word, position
FROM ltc_read.search_terms
WHERE search_term < %(form)s
ORDER BY search_term DESC
LIMIT %(limit)s

-- name: exactly
SELECT search_term, kind, subject, customer_id, means, system, term, word, position
FROM ltc_read.search_terms
WHERE search_term = %(form)s AND word = 1 AND (%(kind)s::text IS NULL OR kind = %(kind)s)
ORDER BY position DESC
LIMIT %(limit)s

-- name: numbers
-- What else a thing is called: its number or title first.
SELECT DISTINCT ON (subject) subject, term
FROM ltc_read.search_terms
WHERE subject = ANY (%(subjects)s) AND word = 1
ORDER BY subject, array_position(ARRAY['number', 'name', 'title', 'reference', 'contact'], means), position DESC

-- name: customers
SELECT customer_id, name FROM ltc_read.customers WHERE customer_id = ANY (%(customers)s)
