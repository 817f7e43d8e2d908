-- What the event store asks. Each query follows its name.

-- name: take_positions
-- Only if nobody has written since the caller looked, where it says so.
SELECT base, recorded_at{check} FROM ltc.take_head_positions({count}, %b::bigint) WHERE base IS NOT NULL

-- name: take_positions_for_copy
-- With the time as COPY wants it: microseconds since 2000.
SELECT base, ((extract(epoch FROM recorded_at) - 946684800) * 1000000)::bigint AS recorded{check}
FROM {schema}.{take_positions}({count}, NULL)

-- name: check_reads
-- One more column of either: the head row is locked by then.
, ltc.require_unwritten({since}, base, {streams}, {customers})

-- name: keep_dead_letter
INSERT INTO ltc.dead_letters (source, raw, reason, origin) VALUES ({source}, {raw}, {reason}, {origin}::jsonb)

-- name: keep_foreign_message
-- What is read again is not kept again.
INSERT INTO ltc.dead_letters (source, raw, reason, origin, kind)
SELECT l.source, l.raw, l.reason, l.origin, 'event' FROM (
    VALUES (%(source)s::text, %(raw)s::bytea, %(reason)s::text, %(origin)s::jsonb)
) AS l (source, raw, reason, origin)
WHERE NOT EXISTS (
    SELECT FROM ltc.dead_letters d WHERE (d.source, d.kind, d.raw) = (l.source, 'event', l.raw)
      AND (d.origin->'partition', d.origin->'offset') = (l.origin->'partition', l.origin->'offset')
)

-- name: lock_foreign_messages
SELECT pg_advisory_xact_lock(hashtextextended('ltc.foreign_messages', 0))

-- name: dead_letters
SELECT id, received_at, source, raw, reason, origin, kind, state, attempts, state_since
FROM ltc.dead_letter_states
WHERE id > %(after)s AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s::text[]))
  AND (%(source)s::text IS NULL OR source = %(source)s::text)
ORDER BY id LIMIT %(limit)s

-- name: dead_letter_steps
SELECT made_at, made_by, step, reason, document, command_id FROM ltc.dead_letter_steps WHERE dead_letter_id = %(id)s ORDER BY id

-- name: dead_letter_counts
SELECT state, count(*) FROM ltc.dead_letter_states GROUP BY state

-- name: unfinished_attempt
SELECT last_document FROM ltc.dead_letter_states WHERE id = %(id)s AND last_step = 'attempted'

-- name: note_dead_letter_step
INSERT INTO ltc.dead_letter_steps (dead_letter_id, made_by, step, reason, document, command_id)
VALUES (%(id)s, %(by)s, %(step)s, %(reason)s, %(document)s, %(command_id)s)

-- name: lock_dead_letter
SELECT pg_advisory_lock(hashtextextended('ltc.dead_letters', %(id)s))

-- name: unlock_dead_letter
SELECT pg_advisory_unlock(hashtextextended('ltc.dead_letters', %(id)s))

-- name: copy_outcomes
COPY ltc.outcomes (first_position, last_position, recorded_at, command_id, command_type, content_hash, status, reasons,
                   content, principal) FROM STDIN (FORMAT binary)

-- name: copy_events
COPY {schema}.{events} (position, recorded_at, occurred_at, version, effective_on, stream_id, command_id,
                        correlation_id, causation_id, customer_id, type, actor, data) FROM STDIN (FORMAT binary)

-- name: copy_traces
COPY ltc.traces (first_position, last_position, parent, state) FROM STDIN

-- name: traces
-- As many as positions: each has at least one.
SELECT first_position, last_position, parent, state FROM ltc.traces
WHERE last_position > %(after)s ORDER BY last_position LIMIT %(limit)s

-- name: lone_refusal
-- A command without events, in one statement.
WITH head AS ({take_positions})
{insert_outcome} (SELECT base FROM head), pg_notify({channel}, '')

-- name: lone_command
-- A command and its events, in one statement. Each part reads from the one before, which sets their order.
WITH head AS ({take_positions}), outcome AS ({insert_outcome} recorded_at)
INSERT INTO ltc.events (position, recorded_at, occurred_at, version, effective_on, stream_id, command_id,
                        correlation_id, causation_id, customer_id, type, actor, data)
SELECT head.base + e.number, outcome.recorded_at, e.occurred_at, e.version, e.effective_on, e.stream_id, e.command_id,
       e.correlation_id, e.causation_id, e.customer_id, e.type, e.actor, e.data
FROM head, outcome, (VALUES {rows}) e (number, occurred_at, version, effective_on, stream_id, command_id,
                                       correlation_id, causation_id, customer_id, type, actor, data)
RETURNING (SELECT base FROM head), pg_notify({channel}, '')

-- name: lone_outcome
INSERT INTO ltc.outcomes (command_id, command_type, content_hash, status, first_position, last_position, reasons,
                          content, principal, recorded_at)
SELECT o.command_id, o.command_type, o.content_hash, o.status, head.base * sign(o.first) + o.first,
       head.base * sign(o.first) + o.last, o.reasons, o.content, o.principal, head.recorded_at
FROM head, (VALUES (%b::uuid, %b::text, %b::bytea, %b::text, %b::bigint, %b::bigint, %b::jsonb, %b::bytea, %b::text))
    o (command_id, command_type, content_hash, status, first, last, reasons, content, principal)
RETURNING

-- name: lone_event
({number}, %b::timestamptz, %b::bigint, %b::date, %b::uuid, %b::uuid, %b::uuid, %b::uuid, %b::uuid, %b::text, %b::text,
 %b::bytea)

-- name: read
-- Types that nobody here knows are never passed over in silence.
SELECT {event_columns} FROM ltc.events
WHERE position > %(after)s AND position <= coalesce(%(upto)s::bigint, 9223372036854775807)
  AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s::text[]) OR type <> ALL({known}::text[]))
ORDER BY position LIMIT %(limit)s

-- name: large_events
-- As the index has it: a constant, and the same one.
SELECT position, octet_length(data) FROM ltc.events
WHERE position > %(after)s AND position <= %(upto)s AND octet_length(data) > 16384 ORDER BY position

-- name: offsets
SELECT feed, partition, next_offset FROM ltc.offsets WHERE feed = ANY(%(feeds)s::text[])

-- name: feeds
SELECT DISTINCT feed FROM ltc.offsets WHERE starts_with(feed, %(prefix)s)

-- name: offset
SELECT next_offset FROM ltc.offsets WHERE feed = %s AND partition = 0

-- name: take_lease
SELECT pg_try_advisory_lock(hashtextextended(%s, 0))

-- name: advance_offset
SELECT ltc.advance_offset(%s, %s, %s, %s)

-- name: advance_published
SELECT ltc.advance_published(%s, %s, %s, %s)

-- name: load
SELECT {event_columns} FROM ltc.events WHERE stream_id = ANY(%(ids)s) ORDER BY stream_id, version

-- name: load_after
SELECT e.* FROM unnest(%(ids)s, %(versions)s::bigint[]) AS known (stream_id, version) CROSS JOIN LATERAL (
    SELECT {event_columns} FROM ltc.events
    WHERE stream_id = known.stream_id AND version > known.version ORDER BY version
) e

-- name: stream
SELECT {event_columns} FROM ltc.events WHERE stream_id = %(id)s AND version > %(after_version)s ORDER BY version

-- name: event
SELECT {event_columns} FROM ltc.events WHERE stream_id = %(id)s AND version = %(version)s

-- name: company_streams
SELECT {event_columns} FROM ltc.events WHERE customer_id IS NULL AND version = 1 AND type = ANY(%(types)s::text[])
ORDER BY position

-- name: event_columns
-- Most often a command is its own correlation and causation: NULL is cheaper to read than the same UUID again.
position, stream_id, version, type, data, customer_id, occurred_at, effective_on, recorded_at,
command_id, nullif(correlation_id, command_id), nullif(causation_id, command_id), actor

-- name: begin
SELECT command_id, command_type, content_hash, status, first_position, last_position, reasons, content, principal, head.position
FROM ltc.head LEFT JOIN ltc.outcomes ON outcomes.command_id = ANY(%(ids)s)

-- name: outcomes
SELECT command_id, command_type, content_hash, status, first_position, last_position, reasons, content, principal
FROM ltc.outcomes WHERE command_id = ANY(%(ids)s)

-- name: changed_streams
SELECT DISTINCT stream_id FROM ltc.events WHERE position > %(after)s AND position <= %(upto)s LIMIT %(limit)s

-- name: streams_of
SELECT customer_id, stream_id FROM ltc.events
WHERE customer_id = ANY(%(ids)s) AND version = 1 AND type = ANY(%(types)s::text[]) ORDER BY customer_id, position

-- name: last_versions
SELECT stream_id, max(version) FROM ltc.events WHERE stream_id = ANY(%(ids)s) GROUP BY stream_id

-- name: correlated_streams
-- Of all correlations with the same last eight bytes. No index has them: this reads the log.
SELECT stream_id FROM ltc.events
WHERE type = ANY(%(types)s::text[]) AND substring(uuid_send(correlation_id) FROM 9 FOR 8) = %(mark)s::bytea
GROUP BY stream_id ORDER BY min(position)

-- name: correlated_events
-- The positions bound how much of the log is read.
SELECT {event_columns} FROM ltc.events
WHERE position > %(after)s AND correlation_id = %(id)s ORDER BY position

-- name: head
SELECT position, recorded_at FROM ltc.head

-- name: server
SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()

-- name: epochs
SELECT number, epoch, after, begun_at, begun_by, reason FROM ltc.epochs ORDER BY number, begun_at

-- name: events_at
SELECT {event_columns} FROM ltc.events WHERE position = ANY(%(positions)s::int8[])

-- name: lock_head
SELECT position FROM ltc.head FOR UPDATE

-- name: move_head
UPDATE ltc.head SET position = %(position)s, recorded_at = greatest(recorded_at, %(recorded_at)s)

-- name: put_back_events
COPY ltc.events (position, stream_id, version, type, data, customer_id, occurred_at, effective_on, recorded_at,
                 command_id, correlation_id, causation_id, actor) FROM STDIN

-- name: put_back_outcome
INSERT INTO ltc.outcomes (command_id, command_type, content_hash, status, first_position, last_position, reasons, content,
                          principal, recorded_at)
VALUES (%(id)s, %(type)s, %(hash)s, %(status)s, %(first)s, %(last)s, %(reasons)s::jsonb, %(content)s, %(principal)s, %(recorded_at)s)
ON CONFLICT (command_id) DO NOTHING

-- name: begin_epoch
INSERT INTO ltc.epochs (number, epoch, after, begun_by, reason)
VALUES (%(number)s, %(epoch)s, %(after)s, %(by)s, %(reason)s)

-- name: keep_expired
INSERT INTO ltc.expired_messages (feed, partition, first_offset, next_offset, passed_by, reason)
VALUES (%(feed)s, %(partition)s, %(first)s, %(next)s, %(by)s, %(reason)s)

-- name: set_offset
UPDATE ltc.offsets SET next_offset = CASE WHEN %(only_back)s THEN least(next_offset, %(next)s) ELSE %(next)s END
WHERE feed = %(feed)s AND partition = 0

-- name: await_head
SELECT ltc.await_head()

-- name: command_span
SELECT first_position, last_position FROM ltc.command_span(%(position)s)

-- name: recorded_at
SELECT recorded_at FROM ltc.events WHERE position = %(position)s

-- name: recorded_columns
position AS id, recorded_at, stream_id AS originator_id, version AS originator_version, type AS topic, data AS state,
customer_id, occurred_at, effective_on, command_id, correlation_id, causation_id, actor

-- name: recorded_events
SELECT {columns}
FROM {schema}.{events}
WHERE stream_id = %(id)s AND version > coalesce(%(after)s::bigint, -1)
  AND version <= coalesce(%(upto)s::bigint, 9223372036854775807)

-- name: recorded_notifications
SELECT {columns}
FROM {schema}.{events}
WHERE position > %(after)s AND position <= coalesce(%(upto)s::bigint, 9223372036854775807)
  AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s::text[]))
ORDER BY position LIMIT %(limit)s

-- name: max_position
SELECT nullif(position, 0) AS max FROM {schema}.{head}
