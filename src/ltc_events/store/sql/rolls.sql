-- What rolls are made from, and what was signed of them. Each query follows its name.

-- name: state
SELECT size FROM ltc_audit.roll_state WHERE log = %(log)s

-- name: clear_streams
DELETE FROM ltc_audit.roll_streams

-- name: clear_shards
DELETE FROM ltc_audit.roll_shards

-- name: clear_state
DELETE FROM ltc_audit.roll_state

-- name: keep_state
INSERT INTO ltc_audit.roll_state (log, size) VALUES (%(log)s, %(size)s)
ON CONFLICT (log) DO UPDATE SET size = excluded.size

-- name: last_events
-- The last event of each stream among these positions.
SELECT DISTINCT ON (stream_id) stream_id, customer_id, type, version, position FROM ltc.events
WHERE position > %(after)s AND position <= %(upto)s ORDER BY stream_id, version DESC

-- name: heads
-- The last event of every stream up to a position, whole.
SELECT {event_columns} FROM ltc.events NATURAL JOIN (
    SELECT stream_id, max(version) AS version FROM ltc.events WHERE position <= %(upto)s GROUP BY stream_id
) last

-- name: keep_streams
INSERT INTO ltc_audit.roll_streams (shard, owner, stream_id, is_customers, kind, version, head, leaf)
SELECT * FROM unnest(%s::integer[], %s::uuid[], %s::uuid[], %s::boolean[], %s::text[], %s::bigint[], %s::bytea[], %s::bytea[])
ON CONFLICT (shard, owner, stream_id) DO UPDATE
SET is_customers = excluded.is_customers, kind = excluded.kind, version = excluded.version,
    head = excluded.head, leaf = excluded.leaf

-- name: members
SELECT shard, owner, stream_id, is_customers, version, leaf FROM ltc_audit.roll_streams
WHERE shard = ANY(%(shards)s) ORDER BY shard, owner, stream_id

-- name: keep_shards
INSERT INTO ltc_audit.roll_shards (shard, root, streams, customers, events)
SELECT * FROM unnest(%s::integer[], %s::bytea[], %s::bigint[], %s::bigint[], %s::bigint[])
ON CONFLICT (shard) DO UPDATE
SET root = excluded.root, streams = excluded.streams, customers = excluded.customers, events = excluded.events

-- name: shards
SELECT shard, root, streams, customers, events FROM ltc_audit.roll_shards

-- name: leaves
SELECT index, size, leaf FROM ltc.tlog_rolls WHERE log = %(log)s AND index >= %(first)s ORDER BY index LIMIT %(limit)s
