-- What a report asks to settle its business date and its position.

-- name: lowest_checkpoints
SELECT name, min(position) FROM ltc_read.shown_checkpoints WHERE name = ANY(%s) GROUP BY name

-- name: ahead
-- Those that took in what the store does not have, as it has gone back.
SELECT s.name, a.position, a.head
FROM ltc_read.shown_checkpoints s
JOIN ltc_read.tables_ahead() a USING (projection, version, source, partition)
WHERE s.name = ANY(%s) ORDER BY 2 DESC, 1 LIMIT 1

-- name: knows_ahead
SELECT to_regprocedure('ltc_read.tables_ahead()') IS NOT NULL

-- name: position_at
-- Positions have no gap and recorded_at never falls as they rise, so halving finds the last one in some twenty steps.
-- UNION, not ALL: one event may be told as several, which have their position in common.
WITH RECURSIVE search (low, high) AS (
    SELECT 0::bigint, %(upto)s::bigint
    UNION
    SELECT CASE WHEN t.recorded_at <= %(moment)s THEN t.position ELSE s.low END,
           CASE WHEN t.recorded_at <= %(moment)s THEN s.high ELSE t.position - 1 END
    FROM search s
    JOIN ltc_read.timeline t ON t.position = (s.low + s.high + 1) / 2
    WHERE s.low < s.high
)
SELECT max(low) FROM search

-- name: head
SELECT position FROM ltc_read.log_head

-- name: command_span
SELECT first_position, last_position FROM ltc_read.command_span(%s)

-- name: knows_commands
SELECT to_regprocedure('ltc_read.command_span(bigint)') IS NOT NULL

-- name: time_zone
SELECT content ->> 'time_zone' FROM ltc_read.policies WHERE kind = 'company' ORDER BY version DESC LIMIT 1

-- name: knows_policies
SELECT to_regclass('ltc_read.policies') IS NOT NULL

-- name: recorded_at
SELECT recorded_at FROM ltc_read.timeline WHERE position = %s

-- name: now
SELECT transaction_timestamp()

-- name: laid_out
SELECT to_regclass('ltc_read.shown_checkpoints')
