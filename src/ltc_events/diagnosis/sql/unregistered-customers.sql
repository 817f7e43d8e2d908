-- Customers of whom there is no record, by the first event of each that begins something for him.
SELECT customer_id, min(position) AS position, count(*) OVER () AS total
FROM ltc.events e
WHERE version = 1 AND customer_id IS NOT NULL
  AND NOT EXISTS (SELECT FROM ltc.events c WHERE c.stream_id = e.customer_id AND c.version = 1 AND c.type LIKE 'customer.%%')
GROUP BY customer_id
ORDER BY min(position)
LIMIT %(limit)s
