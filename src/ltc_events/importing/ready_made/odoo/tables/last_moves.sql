-- The rows of each invoice or other journal entry as the last file has it, as in last_orders.
WITH named AS (
  SELECT *, coalesce(id, last_value(id IGNORE NULLS) OVER (PARTITION BY _file ORDER BY _row)) AS move_id, _file AS file, _row AS place
  FROM account_move
)
SELECT * FROM named
QUALIFY file = last_value(file) OVER (PARTITION BY move_id ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
