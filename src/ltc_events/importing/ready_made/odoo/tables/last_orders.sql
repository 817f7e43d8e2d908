-- The rows of each order as the last file has it: rows below the first have its lines alone, and no `id`.
WITH named AS (
  SELECT *, coalesce(id, last_value(id IGNORE NULLS) OVER (PARTITION BY _file ORDER BY _row)) AS order_id, _file AS file, _row AS place
  FROM sale_order
)
SELECT * FROM named
QUALIFY file = last_value(file) OVER (PARTITION BY order_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
