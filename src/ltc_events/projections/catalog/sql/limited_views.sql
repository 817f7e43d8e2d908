-- The views of limited readers.

-- name: columns
SELECT attname FROM pg_attribute
WHERE attrelid = to_regclass(%(view)s) AND to_regnamespace(%(schema)s) IS NOT NULL AND attnum > 0 AND NOT attisdropped
ORDER BY attnum

-- name: limited_view
CREATE OR REPLACE VIEW {view} WITH (security_barrier) AS
SELECT {columns} FROM {original} WHERE customer_id IN (SELECT visible FROM ltc_limited.visible_customers() AS visible)

-- name: if_visible
CASE WHEN {column} IN (SELECT visible FROM ltc_limited.visible_customers() AS visible) THEN {column} END AS {column}
