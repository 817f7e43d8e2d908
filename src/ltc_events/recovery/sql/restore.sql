-- name: lock
SELECT FROM ltc.head FOR UPDATE
-- name: is_empty
SELECT (SELECT position FROM ltc.head) = 0 AND NOT EXISTS (SELECT FROM ltc.events) AND NOT EXISTS (SELECT FROM ltc.outcomes)
    AND NOT EXISTS (SELECT FROM ltc.dead_letters)
-- name: tables
SELECT c.relname, array_agg(a.attname ORDER BY a.attnum)
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
WHERE n.nspname = 'ltc' AND c.relkind = 'r'
GROUP BY c.relname
-- name: staging
CREATE TEMP TABLE {staging} (LIKE {table}) ON COMMIT DROP
-- name: copy
COPY {table} ({columns}) FROM STDIN (FORMAT binary)
-- name: move_head
UPDATE ltc.head SET position = %(position)s, recorded_at = %(recorded_at)s
-- name: last_of
SELECT max(position), max(recorded_at), count(*) FROM {staging} WHERE position <= %(position)s
-- name: append_events
INSERT INTO ltc.events ({columns}) SELECT {columns} FROM {staging} WHERE position <= %(position)s ORDER BY position
-- name: position_at
SELECT max(position) FROM {staging} WHERE recorded_at <= %(moment)s
-- name: command_begin
SELECT min(first_position) FROM {staging} WHERE first_position <= %(position)s AND last_position > %(position)s AND first_position > 0
-- name: cut_outcomes
DELETE FROM {staging} WHERE last_position > %(position)s OR first_position = 0 AND recorded_at > %(recorded_at)s
-- name: cut_traces
DELETE FROM {staging} WHERE last_position > %(position)s
-- name: cut_dead_letters
DELETE FROM {staging} WHERE received_at > %(recorded_at)s
-- name: cut_dead_letter_steps
DELETE FROM {staging} WHERE made_at > %(recorded_at)s
-- name: cut_epochs
DELETE FROM {staging} WHERE number > 1 AND begun_at > %(recorded_at)s
-- name: cut_expired_messages
DELETE FROM {staging} WHERE passed_at > %(recorded_at)s
-- name: empty
DELETE FROM {table}
-- name: fill
INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {staging}
-- name: guards
SELECT t.tgname FROM pg_trigger t WHERE t.tgrelid = {table}::regclass AND NOT t.tgisinternal AND t.tgenabled = 'A'
-- name: disable_guard
ALTER TABLE {table} DISABLE TRIGGER {guard}
-- name: enable_guard
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {guard}
-- name: counters
SELECT a.attname, pg_get_serial_sequence({table}, a.attname)
FROM pg_attribute a WHERE a.attrelid = {table}::regclass AND a.attidentity <> ''
-- name: set_counter
SELECT setval({sequence}::regclass, greatest((SELECT max({column}) FROM {table}), 1), EXISTS (SELECT FROM {table}))
