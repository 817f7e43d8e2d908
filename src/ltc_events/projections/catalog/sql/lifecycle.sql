-- The states of builds, and when each was entered.

-- name: record_transition
INSERT INTO ltc_read.projection_transitions (projection, version, build, state, position, made_at, made_by, reason)
VALUES (
    %s, %s, %s, %s,
    coalesce((SELECT min(position) FROM ltc_read.checkpoints WHERE projection = %s AND version = %s), 0),
    clock_timestamp(), %s, %s
)

-- name: states
SELECT projection, version, build, state FROM ltc_read.projection_builds
WHERE %(name)s::text IS NULL OR projection = %(name)s ORDER BY 1, 2, 3

-- name: transitions
SELECT projection, version, build, state, position, made_at, made_by, reason
FROM ltc_read.projection_transitions WHERE projection = %s ORDER BY id

-- name: last_transition
SELECT coalesce(max(id), 0) FROM ltc_read.projection_transitions
