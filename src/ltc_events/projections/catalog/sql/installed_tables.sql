-- What read tables the database holds, and what they look like.

-- name: tables_of_views
SELECT view_name, table_name FROM information_schema.view_table_usage WHERE view_schema = %s AND table_schema = %s

-- name: oid
-- The class is looked up in the catalogue, because a temporary schema has another name in each session.
SELECT to_regclass(format('%%I.%%I', %s::text, %s::text))::oid

-- name: columns
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped ORDER BY attnum

-- name: primary_key
SELECT a.attname
FROM pg_index i
CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indrelid = %s AND i.indisprimary ORDER BY k.place

-- name: lowest_checkpoint
SELECT min(position) FROM ltc_read.checkpoints WHERE projection = %s AND version = %s
