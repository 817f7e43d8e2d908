-- Movements of orders that are dated before their order, the first ones of all.
SELECT position, 'order' AS what, order_id AS id, NULL AS number, kind, effective_on, ordered_on AS earliest,
       count(*) OVER () AS total
FROM (SELECT *, first_value(effective_on) OVER (PARTITION BY order_id ORDER BY position, line_no) AS ordered_on
      FROM ltc_read.order_movements) m
WHERE effective_on < ordered_on
ORDER BY position, line_no
LIMIT %(limit)s
