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
COMMENT ON COLUMN ltc.outcomes.content IS 'what was sent, of a refused command';

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
COMMENT ON COLUMN ltc.dead_letters.origin IS 'of a message: topic, partition, offset, key and headers';

CREATE TABLE IF NOT EXISTS ltc.offsets (
    feed text NOT NULL,
    partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (feed, partition)
);

-- Compare and set: whoever was replaced while it slept finds another offset and must not commit.
CREATE OR REPLACE FUNCTION ltc.advance_offset(feed text, part integer, expected bigint, next bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE ltc.offsets o SET next_offset = next
    WHERE o.feed = advance_offset.feed AND o.partition = part AND o.next_offset = expected;
    IF NOT FOUND AND expected = 0 THEN
        INSERT INTO ltc.offsets VALUES (feed, part, next) ON CONFLICT DO NOTHING;
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the offset of % partition % is no longer %', feed, part, expected USING ERRCODE = 'LTC02';
    END IF;
END
$$;
