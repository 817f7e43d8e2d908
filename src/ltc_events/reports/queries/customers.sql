-- Finding the customer that somebody means.

-- name: by_id
SELECT customer_id FROM ltc_read.timeline WHERE customer_id = %s LIMIT 1

-- name: by_name
-- Several may be searched for alike; if one is written just so, it is meant.
SELECT customer_id, name, registered_on, count(*) OVER ()
FROM (
    SELECT *, lower(name) = lower(%(text)s) AS is_same, bool_or(lower(name) = lower(%(text)s)) OVER () AS is_any_same
    FROM ltc_read.customers
    WHERE search_name = %(form)s AND name IS NOT NULL
) alike
WHERE is_same OR NOT is_any_same
ORDER BY registered_position
LIMIT %(limit)s

-- name: by_reference
SELECT customer_id, c.name, c.registered_on, count(*) OVER ()
FROM (SELECT customer_id, min(position) AS position FROM ltc_read.customer_references WHERE reference = %(text)s GROUP BY 1) r
LEFT JOIN ltc_read.customers c USING (customer_id)
ORDER BY r.position
LIMIT %(limit)s

-- name: neighbours
-- From one name to the next by the index, so that a thousand customers of one name take one step.
WITH RECURSIVE step (name, number) AS (
    (SELECT {column}, 1 FROM ltc_read.customers WHERE {column} {first} %(form)s ORDER BY {column} {order} LIMIT 1)
    UNION ALL
    SELECT (SELECT {column} FROM ltc_read.customers WHERE {column} {next} step.name ORDER BY {column} {order} LIMIT 1), number + 1
    FROM step
    WHERE name IS NOT NULL AND number < %(limit)s
)
SELECT name FROM step WHERE name IS NOT NULL

-- name: spelt
SELECT DISTINCT ON (search_name) search_name, name FROM ltc_read.customers WHERE search_name = ANY (%s) AND name IS NOT NULL
ORDER BY search_name, registered_position
