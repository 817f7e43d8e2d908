-- Checkpoints of read tables.

-- name: present_epoch
(SELECT epoch FROM ltc.epochs ORDER BY number DESC LIMIT 1)

-- name: mark
(epoch, mark_position, mark_command, mark_recorded) = (
        SELECT p.epoch, e.position, e.command_id, e.recorded_at
        FROM {present} p LEFT JOIN ltc.events e ON e.position = {position}
    )

-- name: move
-- Locked in the order of the key, as everybody does who moves several: so nobody waits in a circle.
WITH own AS (
    SELECT c.projection, c.version, c.source, c.partition, m.position, m.next_offset
    FROM unnest(%s::text[], %s::int4[], %s::int4[], %s::int8[], %s::int8[], %s::int8[], %s::int8[], %s::text[],
        %s::int8[], %s::uuid[], %s::timestamptz[])
        AS m (projection, version, partition, expected, position, next_offset, holds, epoch, last, command, recorded)
    JOIN {checkpoints} c ON (c.projection, c.version, c.partition, c.position)
        = (m.projection, m.version, m.partition, m.expected) AND c.holds = coalesce(m.holds, c.holds)
    WHERE c.source = %s AND {in_its_epoch} AND {still_true} AND {is_stored}
    ORDER BY c.projection, c.version, c.source, c.partition FOR UPDATE OF c
)
UPDATE {checkpoints} c
SET position = own.position, next_offset = coalesce(own.next_offset, c.next_offset), moved_at = clock_timestamp(), {mark}
FROM own WHERE (c.projection, c.version, c.source, c.partition) = (own.projection, own.version, own.source, own.partition)
RETURNING c.projection, c.version, c.partition

-- name: is_in_epoch
({present} = {epoch}) IS NOT FALSE

-- name: still_true
({checkpoint}.mark_position IS NULL OR EXISTS (
        SELECT FROM ltc.events e WHERE e.position = {checkpoint}.mark_position
        AND (e.command_id, e.recorded_at) = ({checkpoint}.mark_command, {checkpoint}.mark_recorded)
    ))

-- name: is_stored
({position} IS NULL OR EXISTS (
        SELECT FROM ltc.events e WHERE (e.position, e.command_id, e.recorded_at) = ({position}, {command}, {recorded})
    ))

-- name: are_laid_out
SELECT to_regclass('ltc_read.checkpoints') IS NOT NULL

-- name: lock
LOCK TABLE ltc_read.checkpoints IN SHARE ROW EXCLUSIVE MODE

-- name: mark_all
UPDATE ltc_read.checkpoints c SET {mark} WHERE (c.projection, c.version) = (%s, %s)
