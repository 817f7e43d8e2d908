-- name: snapshot
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY
-- name: ledger
SELECT epoch FROM ltc.epochs ORDER BY number, begun_at LIMIT 1
-- name: epoch
SELECT epoch FROM ltc.epochs ORDER BY begun_at DESC, number DESC LIMIT 1
-- name: head
SELECT position, recorded_at, clock_timestamp() FROM ltc.head
-- name: witness
SELECT encode(sha256(convert_to(concat_ws('|', position, recorded_at, stream_id, version, command_id, type), 'UTF8') || data), 'hex')
FROM ltc.events WHERE position = %s
-- name: tables
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE n.nspname = 'ltc' AND c.relkind = 'r'
GROUP BY c.relname ORDER BY c.relname
-- name: copy_events
COPY (SELECT {columns} FROM ltc.events WHERE position BETWEEN {first} AND {last} ORDER BY position) TO STDOUT (FORMAT binary)
-- name: copy_table
COPY (SELECT {columns} FROM {table}) TO STDOUT (FORMAT binary)
-- name: count_table
SELECT count(*) FROM {table}
