-- The checkpoints of tables that a topic feeds.

-- name: places
SELECT c.projection, c.version, c.source, c.partition, c.position, c.next_offset,
       (SELECT epoch FROM ltc.epochs ORDER BY number DESC LIMIT 1),
       coalesce(f.failed_position > c.position AND NOT f.waits, false)
FROM ltc_read.checkpoints c LEFT JOIN ltc_read.projection_failures f USING (projection, version, source, partition)
WHERE (c.projection, c.version) IN (SELECT * FROM unnest(%s::text[], %s::int4[]))

-- name: next_offsets
SELECT c.partition, min(c.next_offset)
FROM ltc_read.checkpoints c LEFT JOIN ltc_read.projection_failures f USING (projection, version, source, partition)
WHERE c.source = %s AND c.next_offset IS NOT NULL AND (f.failed_position > c.position AND NOT f.waits) IS NOT TRUE
GROUP BY c.partition
