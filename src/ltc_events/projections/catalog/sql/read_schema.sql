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
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'ltc_read.checkpoints'::regclass AND attname = 'epoch') THEN
        ALTER TABLE ltc_read.checkpoints ADD COLUMN epoch text, ADD COLUMN mark_position bigint, ADD COLUMN mark_command uuid,
            ADD COLUMN mark_recorded timestamptz;
    END IF;
END
$$;
COMMENT ON COLUMN ltc_read.checkpoints.holds IS
    'rises whenever other customers are parked than before, so that whoever writes sees that';
COMMENT ON COLUMN ltc_read.checkpoints.next_offset IS 'where to read on in a partition of Kafka; no event up to the position is needed';

COMMENT ON COLUMN ltc_read.checkpoints.epoch IS 'the epoch of the store when it moved last';
COMMENT ON COLUMN ltc_read.checkpoints.mark_position IS
    'an event that was taken in, with its command and its time: where the store has another one there, it has gone back';

-- Tables that have taken in what the store does not have: it went back, and they did not. With the rights of its owner, so that
-- who may only read hears of it; the body is text, so that nobody who restores the ledger is held up by it.
CREATE OR REPLACE FUNCTION ltc_read.tables_ahead() RETURNS TABLE (
    projection text, version integer, source text, "partition" integer, "position" bigint, mark_position bigint, epoch text, head bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT c.projection, c.version, c.source, c.partition, c.position, c.mark_position, c.epoch, h.position
    FROM ltc_read.checkpoints c CROSS JOIN ltc.head h LEFT JOIN ltc.events e ON e.position = c.mark_position
    WHERE c.position > h.position
       OR c.mark_position IS NOT NULL AND (e.command_id, e.recorded_at) IS DISTINCT FROM (c.mark_command, c.mark_recorded)
    ORDER BY 1, 2, 3, 4
$$;
COMMENT ON FUNCTION ltc_read.tables_ahead() IS 'Read tables that are ahead of the store, which has gone back: see `ltc recover`.';

CREATE OR REPLACE VIEW ltc_read.log_head AS SELECT position, recorded_at FROM ltc.head;
COMMENT ON VIEW ltc_read.log_head IS 'The last position of the log: what a read table has not taken in lies between its checkpoint and this.';

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
    'The event that a projection did not get past. It is over when the checkpoint has passed it.';
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 'ltc_read.projection_failures'::regclass AND attname = 'waits') THEN
        ALTER TABLE ltc_read.projection_failures ADD COLUMN fault text NOT NULL DEFAULT 'event',
            ADD COLUMN fix text NOT NULL DEFAULT '', ADD COLUMN waits boolean NOT NULL DEFAULT false,
            ADD COLUMN attempts integer NOT NULL DEFAULT 1, ADD COLUMN first_failed_at timestamptz;
    END IF;
END
$$;
COMMENT ON COLUMN ltc_read.projection_failures.fault IS 'whose it is: the event''s own, one that passes (retry), or the operator''s';
COMMENT ON COLUMN ltc_read.projection_failures.waits IS 'it is tried again unasked; else the table has stopped';
COMMENT ON COLUMN ltc_read.projection_failures.attempts IS 'how often it was tried at this event, the first time at first_failed_at';

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
       CASE WHEN f.waits THEN 'retrying' WHEN f.failed_position > c.position THEN 'failed' ELSE 'live' END AS state,
       f.failed_position, f.failed_event, f.error, f.failed_at,
       coalesce(b.projection, c.projection) AS projection, coalesce(b.build, 0) AS build, b.state AS life,
       b.made_at AS life_since, b.made_by AS life_by, b.reason AS life_reason,
       f.fault, f.fix, f.attempts, f.first_failed_at
FROM ltc_read.checkpoints c
LEFT JOIN ltc_read.projection_builds b
    ON b.version = c.version AND c.projection = {place(b.projection, b.build)}
LEFT JOIN ltc_read.projection_failures f
    ON (f.projection, f.version, f.source, f.partition) = (c.projection, c.version, c.source, c.partition)
    AND f.failed_position > c.position;
COMMENT ON VIEW ltc_read.projection_status IS
    'Each read table: how far it has come, where it is in its life, and if it failed, at which event and why.';

-- The version of a table that its view shows is the one that counts: during a rebuild there are two.
CREATE OR REPLACE VIEW ltc_read.shown_checkpoints AS
SELECT shown.relname::text AS name, c.projection, c.version, c.source, c.partition, c.position
FROM pg_class shown
JOIN pg_rewrite rule ON rule.ev_class = shown.oid
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = rule.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class physical ON physical.oid = d.refobjid AND physical.relkind = 'r'
JOIN ltc_read.checkpoints c ON {physical(c.projection, c.version)} = physical.relname
WHERE shown.relnamespace = 'ltc_read'::regnamespace AND shown.relkind = 'v'
GROUP BY shown.relname, c.projection, c.version, c.source, c.partition, c.position;
COMMENT ON VIEW ltc_read.shown_checkpoints IS 'How far each read table is that readers see, in each partition of what feeds it.';

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
    RAISE EXCEPTION 'a row of %.% breaks its check %', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_ARGV[0]
        USING ERRCODE = 'check_violation', DETAIL = format('Failing row: %s', to_jsonb(NEW));
END
$$;

CREATE TABLE IF NOT EXISTS ltc_read.laid_out (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    sha256 text NOT NULL
);
COMMENT ON TABLE ltc_read.laid_out IS 'The hash of the script that made what is above, so that it is not made again for nothing.';
INSERT INTO ltc_read.laid_out (sha256) VALUES ('') ON CONFLICT DO NOTHING;
