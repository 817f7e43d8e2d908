-- Where read tables get their events from, and how far they have come.

-- name: checkpoints
SELECT source, partition, position FROM ltc_read.checkpoints WHERE projection = %s AND version = %s ORDER BY 1, 2

-- name: declared_source
SELECT source, partitions FROM ltc_read.feed

-- name: declare_source
INSERT INTO ltc_read.feed VALUES (true, %(source)s, %(partitions)s, clock_timestamp(), %(by)s, %(reason)s)
ON CONFLICT (only_row) DO UPDATE SET source = excluded.source, partitions = excluded.partitions,
    since = excluded.since, set_by = excluded.set_by, reason = excluded.reason

-- name: is_laid_out
SELECT to_regclass('ltc_read.feed') IS NOT NULL

-- name: other_source
SELECT c.source
FROM ltc_read.checkpoints c
JOIN unnest(%s::text[], %s::int4[]) AS b (place, version) ON (c.projection, c.version) = (b.place, b.version)
WHERE c.source <> %s LIMIT 1
