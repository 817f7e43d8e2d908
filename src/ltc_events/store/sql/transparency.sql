-- What the transparency logs are asked. Each query follows its name.

-- name: take_lease
SELECT pg_try_advisory_lock(hashtextextended(%s, 0))

-- name: not_idle_for
SELECT set_config('idle_session_timeout', %s, false)

-- name: checkpoint_columns
-- The note with the signatures that came later.
log, size, root, signed_at, note || coalesce((
    SELECT string_agg(convert_to(s.line, 'UTF8'), ''::bytea ORDER BY s.line) FROM ltc.tlog_signatures s
    WHERE s.log = c.log AND s.size = c.size
), ''::bytea) AS note

-- name: last_checkpoint
SELECT {checkpoint} FROM ltc.tlog_checkpoints c WHERE log = %(log)s ORDER BY size DESC LIMIT 1

-- name: checkpoints
SELECT {checkpoint} FROM ltc.tlog_checkpoints c WHERE log = %(log)s ORDER BY size

-- name: checkpoint_of
SELECT {checkpoint} FROM ltc.tlog_checkpoints c WHERE log = %(log)s AND size >= %(size)s ORDER BY size LIMIT 1

-- name: logs
SELECT DISTINCT log FROM ltc.tlog_checkpoints ORDER BY log

-- name: tile
SELECT first, hashes FROM ltc.tlog_hashes WHERE log = %(log)s AND level = %(level)s AND tile = %(tile)s ORDER BY first

-- name: tiles
SELECT tile, first, hashes FROM ltc.tlog_hashes
WHERE log = %(log)s AND level = %(level)s AND tile >= %(first)s AND tile < %(end)s ORDER BY tile, first

-- name: keep_hashes
INSERT INTO ltc.tlog_hashes (log, level, tile, first, hashes) VALUES (%s, %s, %s, %s, %s)

-- name: keep_checkpoint
INSERT INTO ltc.tlog_checkpoints (log, size, root, note) VALUES (%(log)s, %(size)s, %(root)s, %(note)s)

-- name: keep_signature
INSERT INTO ltc.tlog_signatures (log, size, line) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING

-- name: keep_refusal
INSERT INTO ltc.tlog_refusals (log, index, command_id, recorded_at) VALUES (%s, %s, %s, %s)

-- name: keep_roll
INSERT INTO ltc.tlog_rolls (log, index, size, leaf) VALUES (%s, %s, %s, %s)

-- name: outcome_columns
command_id, command_type, content_hash, status, first_position, last_position, reasons, content, recorded_at, principal

-- name: outcomes_of
SELECT {columns} FROM ltc.outcomes WHERE command_id = ANY(%(ids)s)

-- name: new_refusals
-- None is recorded before one that was there already.
SELECT {columns} FROM ltc.outcomes o
WHERE first_position = 0
  AND recorded_at >= coalesce((SELECT max(recorded_at) FROM ltc.tlog_refusals WHERE log = %(log)s), '-infinity')
  AND NOT EXISTS (SELECT FROM ltc.tlog_refusals r WHERE r.log = %(log)s AND r.command_id = o.command_id)
ORDER BY recorded_at, command_id LIMIT %(limit)s

-- name: refusals
SELECT r.index, r.command_id, o.* FROM ltc.tlog_refusals r
LEFT JOIN LATERAL (SELECT {columns} FROM ltc.outcomes WHERE command_id = r.command_id) o ON true
WHERE r.log = %(log)s AND r.index >= %(first)s ORDER BY r.index LIMIT %(limit)s

-- name: refusals_left_out
SELECT o.command_id, o.recorded_at FROM ltc.outcomes o
WHERE first_position = 0 AND recorded_at < (SELECT max(recorded_at) FROM ltc.tlog_refusals WHERE log = %(log)s)
  AND NOT EXISTS (SELECT FROM ltc.tlog_refusals r WHERE r.log = %(log)s AND r.command_id = o.command_id)
ORDER BY recorded_at LIMIT %(limit)s

-- name: broken_versions
-- Ours begin with 1, those of the library's applications with 0.
SELECT stream_id, count(*), min(version), max(version) FROM ltc.events WHERE position <= %(upto)s GROUP BY stream_id
HAVING count(*) <> max(version) - min(version) + 1 OR min(version) > 1
ORDER BY stream_id LIMIT %(limit)s

-- name: outcomes_ahead
SELECT command_id, first_position, last_position FROM ltc.outcomes o
WHERE first_position > 0 AND NOT EXISTS (
    SELECT FROM ltc.events e WHERE e.position = o.first_position AND e.command_id = o.command_id
)
ORDER BY first_position LIMIT %(limit)s
