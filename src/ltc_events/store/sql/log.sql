-- A log: one head row that hands out positions, and the events. Idempotent; the names are the caller's.
CREATE TABLE IF NOT EXISTS {schema}.{head} (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL,
    recorded_at timestamptz NOT NULL
) WITH (fillfactor = 10);  -- room beside the one row, so that its updates stay on its page

INSERT INTO {schema}.{head} (position, recorded_at) VALUES (0, clock_timestamp()) ON CONFLICT DO NOTHING;

-- Positions are handed out here and nowhere else: whoever appends may not write the head row by himself. Where the position is
-- not the `expected` one, both results are NULL and nothing has changed.
CREATE OR REPLACE FUNCTION {schema}.{take_positions}(count bigint, expected bigint, OUT base bigint, OUT recorded_at timestamptz)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF count < 0 THEN
        RAISE EXCEPTION 'positions are never taken back: count is %', count USING ERRCODE = 'LTC04';
    END IF;
    UPDATE {schema}.{head} h SET position = h.position + count, recorded_at = greatest(h.recorded_at, clock_timestamp())
    WHERE h.position = coalesce(expected, h.position)
    RETURNING h.position - count, h.recorded_at INTO base, recorded_at;
END
$$;

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

-- The few events that are large: whoever reads many at once sees by it how many he may (`large_events`).
CREATE INDEX IF NOT EXISTS {large_index} ON {schema}.{events} (position) WHERE octet_length(data) > 16384;
