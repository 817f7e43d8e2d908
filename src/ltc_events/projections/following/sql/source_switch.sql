-- Switching read tables between the store and a topic.

-- name: stopped
SELECT FROM ltc_read.projection_status s WHERE s.state = 'failed' AND s.name = %s AND s.version = %s

-- name: try_lock
SELECT pg_try_advisory_lock(%s, hashtext(%s))

-- name: lock_checkpoints
SELECT projection, version, position FROM ltc_read.checkpoints WHERE source = %s AND position >= %s
ORDER BY projection, version FOR UPDATE

-- name: begin_partitions
INSERT INTO ltc_read.checkpoints (projection, version, source, partition, position, moved_at, next_offset)
SELECT %s, %s, %s, t.partition, %s, clock_timestamp(), t.next_offset
FROM unnest(%s::int4[], %s::int8[]) AS t (partition, next_offset)

-- name: end_source
DELETE FROM ltc_read.checkpoints WHERE projection = %s AND version = %s AND source = %s

-- name: other_partitions
SELECT source, count(*) FROM ltc_read.checkpoints WHERE source <> %s
GROUP BY projection, version, source HAVING (source, count(*)) <> (%s, %s) LIMIT 1

-- name: end_all_sources
DELETE FROM ltc_read.checkpoints WHERE projection = %s AND version = %s

-- name: begin_at_store
INSERT INTO ltc_read.checkpoints (projection, version, source, partition, position, moved_at)
VALUES (%s, %s, %s, 0, %s, clock_timestamp())
