-- The transparency logs: the hashes of their trees, what was signed, and by whom else. Nothing here is ever changed. Idempotent.
CREATE TABLE IF NOT EXISTS ltc.tlog_hashes (
    log text NOT NULL,
    level integer NOT NULL,
    tile bigint NOT NULL,
    first integer NOT NULL,
    hashes bytea NOT NULL,
    CONSTRAINT tlog_hashes_key PRIMARY KEY (log, level, tile, first)
);
COMMENT ON COLUMN ltc.tlog_hashes.level IS 'of tiles, as C2SP tlog-tiles counts them: 0 has the hashes of leaves';
COMMENT ON COLUMN ltc.tlog_hashes.first IS 'the place in the tile of the first of these hashes, which are 32 bytes each';

CREATE TABLE IF NOT EXISTS ltc.tlog_checkpoints (
    log text NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL,
    signed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    note bytea NOT NULL,
    CONSTRAINT tlog_checkpoints_key PRIMARY KEY (log, size)
);
COMMENT ON TABLE ltc.tlog_checkpoints IS 'What the notary signed: of each size of a log one root, and never another';

-- Who signed a checkpoint later: the notary's next key, and witnesses.
CREATE TABLE IF NOT EXISTS ltc.tlog_signatures (
    log text NOT NULL,
    size bigint NOT NULL,
    line text NOT NULL,
    CONSTRAINT tlog_signatures_key PRIMARY KEY (log, size, line)
);

-- Which refusal is which leaf: they have no positions, and their order stands nowhere else.
CREATE TABLE IF NOT EXISTS ltc.tlog_refusals (
    log text NOT NULL,
    index bigint NOT NULL,
    command_id uuid NOT NULL,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT tlog_refusals_key PRIMARY KEY (log, index),
    CONSTRAINT tlog_refusals_command_key UNIQUE (log, command_id)
);

-- The leaves of the log of rolls, which can be derived from the events only until the next roll is made.
CREATE TABLE IF NOT EXISTS ltc.tlog_rolls (
    log text NOT NULL,
    index bigint NOT NULL,
    size bigint NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT tlog_rolls_key PRIMARY KEY (log, index)
);
COMMENT ON COLUMN ltc.tlog_rolls.size IS 'of the log of events at this roll';

-- What the next roll is made from: derived from the events, changed with each roll, and built anew where it is gone.
CREATE SCHEMA IF NOT EXISTS ltc_audit;
COMMENT ON SCHEMA ltc_audit IS 'What the notary derives from the events to make its rolls.';
CREATE TABLE IF NOT EXISTS ltc_audit.roll_streams (
    shard integer NOT NULL,
    owner uuid NOT NULL,
    stream_id uuid NOT NULL,
    is_customers boolean NOT NULL,
    kind text NOT NULL,
    version bigint NOT NULL,
    head bytea NOT NULL,
    leaf bytea NOT NULL,
    CONSTRAINT roll_streams_key PRIMARY KEY (shard, owner, stream_id)
) WITH (fillfactor = 80);
COMMENT ON COLUMN ltc_audit.roll_streams.owner IS 'the customer; of a stream of the company itself, the stream';
COMMENT ON COLUMN ltc_audit.roll_streams.head IS 'the hash of the leaf of its last event';
COMMENT ON COLUMN ltc_audit.roll_streams.leaf IS 'the hash of its leaf in the shard';
CREATE TABLE IF NOT EXISTS ltc_audit.roll_shards (
    shard integer PRIMARY KEY,
    root bytea NOT NULL,
    streams bigint NOT NULL,
    customers bigint NOT NULL,
    events bigint NOT NULL
);
CREATE TABLE IF NOT EXISTS ltc_audit.roll_state (
    log text PRIMARY KEY,
    size bigint NOT NULL
);
COMMENT ON TABLE ltc_audit.roll_state IS 'Up to which event, and for which log of rolls, the other tables of this schema are';

-- Outcomes without events, by which the notary finds the new ones.
CREATE INDEX IF NOT EXISTS outcomes_without_events ON ltc.outcomes (recorded_at) WHERE first_position = 0;

REVOKE ALL ON ltc.tlog_hashes, ltc.tlog_checkpoints, ltc.tlog_signatures, ltc.tlog_refusals, ltc.tlog_rolls FROM PUBLIC;
GRANT USAGE ON SCHEMA ltc TO ltc_notary;
GRANT SELECT ON ltc.events, ltc.outcomes, ltc.head, ltc.epochs TO ltc_notary;
GRANT SELECT, INSERT ON ltc.tlog_hashes, ltc.tlog_checkpoints, ltc.tlog_signatures, ltc.tlog_refusals, ltc.tlog_rolls TO ltc_notary;
REVOKE ALL ON SCHEMA ltc_audit FROM PUBLIC;
GRANT USAGE ON SCHEMA ltc_audit TO ltc_notary;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ltc_audit TO ltc_notary;
