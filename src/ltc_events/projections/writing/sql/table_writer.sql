-- Writing read tables; what depends on a declaration is composed by the reader.

-- name: move
-- Most moves are of one checkpoint: without arrays, and without a join.
UPDATE {checkpoints} AS c SET position = %s, next_offset = coalesce(%s::int8, next_offset), moved_at = clock_timestamp(), {mark}
WHERE projection = %s AND version = %s AND source = %s AND partition = %s AND position = %s AND holds = coalesce(%s, holds)
AND {in_its_epoch} AND {still_true} AND {is_stored}

-- name: prepare_session
SET synchronous_commit = off; SET client_encoding = 'UTF8'

-- name: delete
DELETE FROM {table} t USING unnest({arrays}) AS k ({key}) WHERE ({own}) = ({given})

-- name: upsert
INSERT INTO {table} AS t ({columns}) SELECT * FROM unnest({arrays}) ON CONFLICT ({key}) DO {change}
