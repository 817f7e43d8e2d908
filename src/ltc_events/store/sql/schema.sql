-- The ledger's own schema and the one that analysts read. Idempotent.
CREATE SCHEMA IF NOT EXISTS ltc;
CREATE SCHEMA IF NOT EXISTS ltc_read;
COMMENT ON SCHEMA ltc IS 'The ledger: events, outcomes of commands, consumed offsets. Append-only.';
COMMENT ON SCHEMA ltc_read IS 'Read tables, derived from the events and rebuilt at will.';
