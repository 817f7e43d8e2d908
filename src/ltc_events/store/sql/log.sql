-- A log: one head row that hands out positions, and the events. Idempotent; the names are the caller's.
CREATE TABLE IF NOT EXISTS {schema}.{head} (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10);  -- room beside the one row, so that its updates stay on its page

INSERT INTO {schema}.{head} (position, recorded_at) VALUES (0, clock_timestamp()) ON CONFLICT DO NOTHING;

-- Fixed widths first: no padding.
CREATE TABLE IF NOT EXISTS {schema}.{events} (
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    version bigint NOT NULL,
    effective_on date NOT NULL,
    stream_id uuid NOT NULL,
    customer_id uuid,
    command_id uuid NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id uuid NOT NULL,
    type text NOT NULL,
    actor text NOT NULL,
    data bytea NOT NULL,
    CONSTRAINT {stream_key} PRIMARY KEY (stream_id, version),
    CONSTRAINT {position_key} UNIQUE (position)
);

-- Which streams a customer has: one entry for each, at its first event.
CREATE INDEX IF NOT EXISTS {customer_index} ON {schema}.{events} (customer_id, position) WHERE version = 1;
