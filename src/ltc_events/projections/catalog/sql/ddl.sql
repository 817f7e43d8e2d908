-- Laying out read tables; what is made of a declaration is composed by the reader.

-- name: begin_checkpoints
INSERT INTO ltc_read.checkpoints (projection, version, source, partition, position, moved_at)
SELECT p, v, %s, 0, 0, clock_timestamp()
FROM unnest(%s::text[], %s::int4[]) AS t (p, v)
WHERE NOT EXISTS (SELECT FROM ltc_read.checkpoints c WHERE (c.projection, c.version) = (p, v))

-- name: lock_layout
SELECT pg_advisory_xact_lock(%s)

-- name: refuse_unbalanced
CREATE TRIGGER balanced AFTER INSERT ON {table} REFERENCING NEW TABLE AS inserted
FOR EACH STATEMENT EXECUTE FUNCTION ltc_read.refuse_unbalanced({arguments})

-- name: refuse_change
CREATE TRIGGER unchanged BEFORE UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION ltc_read.refuse_change()

-- name: refuse_row
-- Not a CHECK constraint: that one would also judge the partial row that an upsert proposes before it merges.
CREATE TRIGGER {trigger} AFTER INSERT OR UPDATE ON {table} FOR EACH ROW WHEN (({condition}) IS NOT TRUE)
EXECUTE FUNCTION ltc_read.refuse_row({check})

-- name: is_marked
SELECT to_regclass('ltc_read.laid_out') IS NOT NULL

-- name: find_mark
SELECT FROM ltc_read.laid_out WHERE sha256 = %s

-- name: keep_mark
UPDATE ltc_read.laid_out SET sha256 = %s

-- name: present_columns
SELECT c.relname, array_agg(a.attname || ' ' || t.typname ORDER BY a.attnum)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid
JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped GROUP BY 1
