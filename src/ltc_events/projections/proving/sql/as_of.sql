-- Temporary read tables.

-- name: make_like
CREATE TEMPORARY TABLE {temporary} (LIKE {table} INCLUDING ALL)

-- name: begin_checkpoint
INSERT INTO pg_temp.checkpoints VALUES (%s, %s, %s, %s, 0, clock_timestamp())
