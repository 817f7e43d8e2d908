-- The rows of a read table in one form on any machine.

-- name: canonical
-- What PostgreSQL's text form of a value depends on.
SET LOCAL TIME ZONE 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL client_encoding = 'UTF8'

-- name: rows
COPY (SELECT {columns} FROM {table} ORDER BY {order}) TO STDOUT
