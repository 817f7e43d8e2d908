-- Whether read tables are ahead of the store.

-- name: tables_ahead
SELECT projection, version, source, "partition", "position", mark_position, epoch, head FROM ltc_read.tables_ahead()

-- name: is_laid_out
SELECT to_regprocedure('ltc_read.tables_ahead()') IS NOT NULL
