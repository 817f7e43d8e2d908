-- What became of each command, what was none, and how far each feed of commands was consumed. Idempotent.
CREATE TABLE IF NOT EXISTS ltc.outcomes (
    command_id uuid NOT NULL,
    command_type text NOT NULL,
    content_hash bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('accepted', 'refused')),
    first_position bigint NOT NULL,
    last_position bigint NOT NULL,
    reasons jsonb NOT NULL,
    content bytea,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT outcomes_command_key PRIMARY KEY (command_id)
);
COMMENT ON COLUMN ltc.outcomes.first_position IS 'first of its events; 0: it made none';
ALTER TABLE ltc.outcomes ADD COLUMN IF NOT EXISTS principal text;
COMMENT ON COLUMN ltc.outcomes.principal IS 'who sent it, as he was authenticated; NULL: nobody was, or it is from before this was kept';
COMMENT ON COLUMN ltc.outcomes.content IS 'what was sent, of a refused command';

-- Which trace (W3C Trace Context) events belong to: a row for each command that came with one.
CREATE TABLE IF NOT EXISTS ltc.traces (
    first_position bigint NOT NULL,
    last_position bigint NOT NULL PRIMARY KEY,
    parent text NOT NULL,
    state text NOT NULL
);

-- What came in and could not even be answered.
CREATE TABLE IF NOT EXISTS ltc.dead_letters (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    source text NOT NULL,
    raw bytea NOT NULL,
    reason text NOT NULL
);
ALTER TABLE ltc.dead_letters ADD COLUMN IF NOT EXISTS origin jsonb;
COMMENT ON COLUMN ltc.dead_letters.raw IS 'the bytes as they came';
ALTER TABLE ltc.dead_letters ADD COLUMN IF NOT EXISTS kind text NOT NULL DEFAULT 'command';
COMMENT ON COLUMN ltc.dead_letters.origin IS 'of a message: topic, partition, offset, key and headers';
COMMENT ON COLUMN ltc.dead_letters.kind IS 'what it was meant to be, which says how it is tried again';

-- What was done about them since. An attempt is noted before it is made and again with its result, so that one which was
-- cut off is known, and brought to its end by the next.
CREATE TABLE IF NOT EXISTS ltc.dead_letter_steps (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dead_letter_id bigint NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_by text NOT NULL,
    step text NOT NULL CHECK (step IN ('attempted', 'accepted', 'refused', 'undecodable', 'discarded')),
    reason text NOT NULL,
    document bytea,
    command_id uuid
);
CREATE INDEX IF NOT EXISTS dead_letter_steps_letter ON ltc.dead_letter_steps (dead_letter_id, id);
COMMENT ON COLUMN ltc.dead_letter_steps.reason IS 'why somebody did it, or why it came out so';
COMMENT ON COLUMN ltc.dead_letter_steps.document IS 'of an attempt: what was sent in place of the letter; NULL: the letter as it came';
COMMENT ON COLUMN ltc.dead_letter_steps.command_id IS 'of a result: the command that has the outcome';

CREATE OR REPLACE VIEW ltc.dead_letter_states AS
SELECT l.id, l.received_at, l.source, l.raw, l.reason, l.origin, l.kind,
       CASE WHEN s.step IN ('accepted', 'refused', 'discarded') THEN s.step ELSE 'open' END AS state,
       (SELECT count(*) FROM ltc.dead_letter_steps a WHERE a.dead_letter_id = l.id AND a.step = 'attempted') AS attempts,
       coalesce(s.made_at, l.received_at) AS state_since, s.step AS last_step, s.document AS last_document
FROM ltc.dead_letters l LEFT JOIN LATERAL (
    SELECT step, made_at, document FROM ltc.dead_letter_steps WHERE dead_letter_id = l.id ORDER BY id DESC LIMIT 1
) s ON true;
COMMENT ON VIEW ltc.dead_letter_states IS 'Each dead letter with what became of it: the last of its steps says.';

CREATE TABLE IF NOT EXISTS ltc.offsets (
    feed text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (feed, partition)
);

-- Called with the head row locked: nobody else may have written, at the positions after `since` up to `upto`, what a batch
-- decided on and does not write itself. Each query in here sees what was committed up to that moment.
CREATE OR REPLACE FUNCTION ltc.require_unwritten(since bigint, upto bigint, streams uuid[], customers uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF since >= upto THEN
        RETURN;
    END IF;
    -- First the few events of others, by their positions; then which of them matter.
    IF EXISTS (
        WITH others AS MATERIALIZED (
            SELECT stream_id, version, customer_id FROM ltc.events WHERE position > since AND position <= upto
        )
        SELECT FROM others
        WHERE stream_id IN (SELECT unnest(streams)) OR version = 1 AND customer_id IN (SELECT unnest(customers))
    ) THEN
        RAISE EXCEPTION 'what was read up to position % has been written since', since USING ERRCODE = 'LTC03';
    END IF;
END
$$;

-- Wait until nobody who is appending holds the head row.
CREATE OR REPLACE FUNCTION ltc.await_head() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT FROM ltc.head FOR UPDATE
$$;

-- Compare and set: whoever was replaced while it slept finds another offset and must not commit. Nothing goes back.
CREATE OR REPLACE FUNCTION ltc.advance_offset(feed text, part integer, expected bigint, next bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF feed LIKE '%.events' THEN
        RAISE EXCEPTION 'the offset of % is moved by the relay alone', feed USING ERRCODE = '42501';
    END IF;
    PERFORM ltc.set_offset(feed, part, expected, next);
END
$$;

-- The same for what has been published: the relay's group may move this and nothing else.
CREATE OR REPLACE FUNCTION ltc.advance_published(feed text, part integer, expected bigint, next bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF feed NOT LIKE '%.events' THEN
        RAISE EXCEPTION 'the relay does not move the offset of %', feed USING ERRCODE = '42501';
    END IF;
    PERFORM ltc.set_offset(feed, part, expected, next);
END
$$;

CREATE OR REPLACE FUNCTION ltc.set_offset(feed text, part integer, expected bigint, next bigint) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF next < expected THEN
        RAISE EXCEPTION 'the offset of % partition % would go back from % to %', feed, part, expected, next
            USING ERRCODE = 'LTC02';
    END IF;
    UPDATE ltc.offsets o SET next_offset = next
    WHERE o.feed = set_offset.feed AND o.partition = part AND o.next_offset = expected;
    IF NOT FOUND AND expected = 0 THEN
        INSERT INTO ltc.offsets VALUES (feed, part, next) ON CONFLICT DO NOTHING;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the offset of % partition % is no longer %', feed, part, expected USING ERRCODE = 'LTC02';
    END IF;
END
$$;

-- From where to where the events of a command go that has one at this position. What a command did is known as a whole or not
-- at all, so whoever asks what was known at a position is answered at an end.
CREATE OR REPLACE FUNCTION ltc.command_span(at bigint) RETURNS TABLE (first_position bigint, last_position bigint)
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.first_position, o.last_position FROM ltc.events e JOIN ltc.outcomes o USING (command_id) WHERE e.position = at
$$;

-- The same for who may only read, with the rights of its owner.
CREATE OR REPLACE FUNCTION ltc_read.command_span(at bigint) RETURNS TABLE (first_position bigint, last_position bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ SELECT * FROM ltc.command_span(at) $$;

-- Which of these commands policy `access` has refused, and its version in force: the policy's stream has an event for each. For who
-- may only read, with the rights of its owner: of outcomes nothing else is told.
CREATE OR REPLACE FUNCTION ltc_read.refused_by_access(ids uuid[], policy uuid)
RETURNS TABLE (command_id uuid, access_version bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT o.command_id, (SELECT coalesce(max(e.version), 0)::bigint FROM ltc.events e WHERE e.stream_id = policy)
    FROM ltc.outcomes o
    WHERE o.command_id = ANY (ids) AND o.reasons -> 0 ->> 'code' = 'not_authorised'
$$;
REVOKE ALL ON FUNCTION ltc_read.refused_by_access(uuid[], uuid) FROM PUBLIC;
