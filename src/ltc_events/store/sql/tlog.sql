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

-- Outcomes without events, by which the notary finds the new ones.
CREATE INDEX IF NOT EXISTS outcomes_without_events ON ltc.outcomes (recorded_at) WHERE first_position = 0;

REVOKE ALL ON ltc.tlog_hashes, ltc.tlog_checkpoints, ltc.tlog_signatures, ltc.tlog_refusals FROM PUBLIC;
GRANT USAGE ON SCHEMA ltc TO ltc_notary;
GRANT SELECT ON ltc.events, ltc.outcomes, ltc.head, ltc.epochs TO ltc_notary;
GRANT SELECT, INSERT ON ltc.tlog_hashes, ltc.tlog_checkpoints, ltc.tlog_signatures, ltc.tlog_refusals TO ltc_notary;
