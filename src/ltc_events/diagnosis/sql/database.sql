-- What diagnosis asks the database itself.

-- name: time
SELECT extract(epoch FROM clock_timestamp())::float8

-- name: may_look
SELECT has_schema_privilege('ltc', 'USAGE') AND has_schema_privilege('ltc_read', 'USAGE')

-- name: head_and_last
SELECT h.position, coalesce((SELECT max(position) FROM ltc.events), 0) FROM ltc.head h

-- name: epoch
SELECT epoch, begun_at, begun_by, reason FROM ltc.epochs ORDER BY number DESC LIMIT 1

-- name: has_epochs
SELECT to_regclass('ltc.epochs') IS NOT NULL

-- name: is_limited
SELECT coalesce(pg_has_role(session_user, to_regrole('ltc_limited_reader'), 'MEMBER'), false)
