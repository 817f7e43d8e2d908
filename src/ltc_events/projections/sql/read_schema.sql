-- How far each projection has come and where one stopped. Idempotent.
CREATE TABLE IF NOT EXISTS ltc_read.checkpoints (
    projection text NOT NULL,
    version integer NOT NULL,
    source text NOT NULL,
    partition integer NOT NULL,
    position bigint NOT NULL,
    moved_at timestamptz NOT NULL,
    PRIMARY KEY (projection, version, source, partition)
) WITH (fillfactor = 50);  -- every batch updates a row; room beside it keeps the update on its page
COMMENT ON TABLE ltc_read.checkpoints IS
    'The last position of the log that a projection has taken in; moves in the same transaction as its rows.';
DO $$
BEGIN
    -- To alter a table is to lock it, even where the column is there.
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'ltc_read.checkpoints'::regclass AND attname = 'next_offset') THEN
        ALTER TABLE ltc_read.checkpoints ADD COLUMN next_offset bigint;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'ltc_read.checkpoints'::regclass AND attname = 'holds') THEN
        ALTER TABLE ltc_read.checkpoints ADD COLUMN holds bigint NOT NULL DEFAULT 0;
    END IF;
END
$$;
COMMENT ON COLUMN ltc_read.checkpoints.holds IS
    'rises whenever other customers are parked than before, so that whoever writes sees that';
COMMENT ON COLUMN ltc_read.checkpoints.next_offset IS 'where to read on in a partition of Kafka; no event up to the position is needed';

CREATE TABLE IF NOT EXISTS ltc_read.feed (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    source text NOT NULL,
    partitions integer NOT NULL,
    since timestamptz NOT NULL,
    set_by text NOT NULL,
    reason text NOT NULL
);
COMMENT ON TABLE ltc_read.feed IS
    'Where read tables take their events from: the store itself, or a topic of Kafka. No row: the store, until somebody says otherwise.';

CREATE TABLE IF NOT EXISTS ltc_read.projection_failures (
    projection text NOT NULL,
    version integer NOT NULL,
    source text NOT NULL,
    partition integer NOT NULL,
    failed_position bigint NOT NULL,
    failed_event text NOT NULL,
    error text NOT NULL,
    failed_at timestamptz NOT NULL,
    PRIMARY KEY (projection, version, source, partition)
);
COMMENT ON TABLE ltc_read.projection_failures IS
    'The event at which a projection stopped last. It is over when the checkpoint has passed it.';

CREATE TABLE IF NOT EXISTS ltc_read.projection_letters (
    projection text NOT NULL,
    version integer NOT NULL,
    position bigint NOT NULL,
    event text NOT NULL,
    subject uuid NOT NULL,
    customer_id uuid,
    held uuid,
    cause text NOT NULL,
    written_at timestamptz NOT NULL,
    settled_at timestamptz,
    settled_by text,
    PRIMARY KEY (projection, version, position)
);
CREATE UNIQUE INDEX IF NOT EXISTS projection_letters_held ON ltc_read.projection_letters (projection, version, held)
    WHERE held IS NOT NULL AND settled_at IS NULL;
COMMENT ON TABLE ltc_read.projection_letters IS
    'Events that a read table goes on without, and why; the events themselves are in the log.';
COMMENT ON COLUMN ltc_read.projection_letters.held IS
    'whose later events wait (a customer, or a stream of the company) until it is settled; NULL: the event was skipped';

CREATE TABLE IF NOT EXISTS ltc_read.projection_transitions (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    projection text NOT NULL,
    version integer NOT NULL,
    build integer NOT NULL,
    state text NOT NULL,
    position bigint NOT NULL,
    made_at timestamptz NOT NULL,
    made_by text NOT NULL,
    reason text NOT NULL
);
COMMENT ON TABLE ltc_read.projection_transitions IS
    'The life of each read table: which state it came into, at which position of the log, when, by whom and why.';

CREATE OR REPLACE VIEW ltc_read.projection_builds AS
SELECT DISTINCT ON (projection, version, build) projection, version, build, state, position, made_at, made_by, reason
FROM ltc_read.projection_transitions ORDER BY projection, version, build, id DESC;
COMMENT ON VIEW ltc_read.projection_builds IS 'Each read table that is or was, in its present state.';

-- Tables that are or were: those that a rebuild made have their number in the name under which their checkpoint is kept.
CREATE OR REPLACE VIEW ltc_read.projection_status AS
SELECT c.projection AS name, c.version, c.source, c.partition, c.position, c.moved_at,
       CASE WHEN f.failed_position > c.position THEN 'failed' ELSE 'live' END AS state,
       f.failed_position, f.failed_event, f.error, f.failed_at,
       coalesce(b.projection, c.projection) AS projection, coalesce(b.build, 0) AS build, b.state AS life,
       b.made_at AS life_since, b.made_by AS life_by, b.reason AS life_reason
FROM ltc_read.checkpoints c
LEFT JOIN ltc_read.projection_builds b
    ON b.version = c.version AND c.projection = b.projection || CASE WHEN b.build > 0 THEN '_b' || b.build ELSE '' END
LEFT JOIN ltc_read.projection_failures f
    ON (f.projection, f.version, f.source, f.partition) = (c.projection, c.version, c.source, c.partition)
    AND f.failed_position > c.position;
COMMENT ON VIEW ltc_read.projection_status IS
    'Each read table: how far it has come, where it is in its life, and if it failed, at which event and why.';

-- Arguments: the amount column, then the columns of an entry.
CREATE OR REPLACE FUNCTION ltc_read.refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    columns text;
    entry text;
BEGIN
    SELECT string_agg(format('%I', name), ', ') INTO columns FROM unnest(TG_ARGV[1:]) AS name;
    EXECUTE format(
        'SELECT to_jsonb(e) FROM (SELECT %1$s, sum(%2$I) AS off_by FROM inserted GROUP BY %1$s HAVING sum(%2$I) <> 0 LIMIT 1) e',
        columns, TG_ARGV[0]) INTO entry;
    IF entry IS NOT NULL THEN
        RAISE EXCEPTION 'an entry of %.% does not add up to zero: %', TG_TABLE_SCHEMA, TG_TABLE_NAME, entry
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION ltc_read.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on %.% is refused: its entries balance and stay as they were written',
        TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'check_violation';
END
$$;

-- Argument: the name of the check. Fired only for rows that break it.
CREATE OR REPLACE FUNCTION ltc_read.refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a row of %.% breaks its check %: %', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0], to_jsonb(NEW)
        USING ERRCODE = 'check_violation';
END
$$;

CREATE TABLE IF NOT EXISTS ltc_read.laid_out (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sha256 text NOT NULL
);
COMMENT ON TABLE ltc_read.laid_out IS 'The hash of the script that made what is above, so that it is not made again for nothing.';
INSERT INTO ltc_read.laid_out (sha256) VALUES ('') ON CONFLICT DO NOTHING;
