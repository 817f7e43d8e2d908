-- Rebuilds: one for a projection at a time, and how a table begins again.

-- name: lock
SELECT pg_advisory_lock(%s, hashtext(%s))

-- name: unlock
SELECT pg_advisory_unlock(%s, hashtext(%s))

-- name: limit_lock_wait
SET LOCAL lock_timeout = {limit}

-- name: empty
TRUNCATE {table}

-- name: begin_again
UPDATE ltc_read.checkpoints SET position = 0, moved_at = clock_timestamp(), holds = holds + 1
WHERE projection = %s AND version = %s

-- name: forget
DELETE FROM {table} WHERE projection = %s AND version = %s

-- name: analyze
ANALYZE {table}

-- name: allow_memory
SET LOCAL maintenance_work_mem = {memory}
