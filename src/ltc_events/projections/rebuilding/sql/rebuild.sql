-- Rebuilds: where a new build begins, and how one goes away.

-- name: begin_checkpoint
INSERT INTO ltc_read.checkpoints VALUES (%s, %s, %s, %s, 0, clock_timestamp())

-- name: drop
DROP TABLE IF EXISTS {table}
