-- Whether all of these are there: tables, or columns of them as table.column.
SELECT bool_and(EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = to_regclass('ltc_read.' || split_part(name, '.', 1)) AND split_part(name, '.', 2) IN ('', attname)
))
FROM unnest(%s::text[]) AS name
