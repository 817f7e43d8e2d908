-- The log has no gap, whoever appends: neither in positions nor in the versions of a stream. Idempotent.
CREATE OR REPLACE FUNCTION ltc.require_contiguous() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first bigint;
    last bigint;
    appended_rows bigint;
    broken uuid;
BEGIN
    SELECT min(position), max(position), count(*) INTO first, last, appended_rows FROM appended;
    IF appended_rows = 0 THEN
        RETURN NULL;
    END IF;
    -- Positions are unique: as many as there are numbers between the first and the last are all of them.
    IF appended_rows <> last - first + 1
        OR last <> (SELECT position FROM ltc.head)
        OR first <> 1 AND NOT EXISTS (SELECT FROM ltc.events WHERE position = first - 1)
    THEN
        RAISE EXCEPTION '% events at the positions % to % do not follow the log', appended_rows, first, last
            USING ERRCODE = 'LTC04', HINT = 'Take positions first, and append one event at each.';
    END IF;
    -- LATERAL with a LIMIT looks up the predecessor of each stream by its index. PostgreSQL answers an EXISTS in a disjunction
    -- from a hash of the whole table, which makes each append as long as the log.
    SELECT s.stream_id INTO broken FROM (
        SELECT stream_id, min(version) AS first, max(version) AS last, count(*) AS appended FROM appended GROUP BY stream_id
    ) s
    LEFT JOIN LATERAL (
        SELECT e.version FROM ltc.events e
        WHERE s.first > 1 AND e.stream_id = s.stream_id AND e.version = s.first - 1 LIMIT 1
    ) predecessor ON true
    WHERE s.appended <> s.last - s.first + 1 OR s.first < 0 OR s.first > 1 AND predecessor.version IS NULL
    LIMIT 1;
    -- A stream of the library's begins with 0, ours with 1; nothing is put before what is there.
    IF NOT FOUND AND EXISTS (SELECT FROM appended WHERE version = 0) THEN
        SELECT a.stream_id INTO broken FROM appended a
        CROSS JOIN LATERAL (
            SELECT FROM ltc.events e WHERE e.stream_id = a.stream_id AND e.version > 0 AND e.position < first LIMIT 1
        ) earlier
        WHERE a.version = 0
        LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'the versions of stream % do not follow each other', broken
            USING ERRCODE = 'LTC04', HINT = 'Load the stream, and append its next version.';
    END IF;
    RETURN NULL;
END
$$;
CREATE OR REPLACE TRIGGER contiguous AFTER INSERT ON ltc.events
    REFERENCING NEW TABLE AS appended FOR EACH STATEMENT EXECUTE FUNCTION ltc.require_contiguous();
ALTER TABLE ltc.events ENABLE ALWAYS TRIGGER contiguous;

-- Positions that were taken and not filled would stop everybody after them: such a transaction does not commit.
CREATE OR REPLACE FUNCTION ltc.require_filled() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ltc.events WHERE position = NEW.position) THEN
        RAISE EXCEPTION 'no event was appended at position %', NEW.position
            USING ERRCODE = 'LTC04', HINT = 'Append as many events as positions were taken.';
    END IF;
    RETURN NULL;
END
$$;
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'ltc.head'::regclass AND tgname = 'filled') THEN
        CREATE CONSTRAINT TRIGGER filled AFTER UPDATE OF position ON ltc.head DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW WHEN (NEW.position <> OLD.position) EXECUTE FUNCTION ltc.require_filled();
        ALTER TABLE ltc.head ENABLE ALWAYS TRIGGER filled;
    END IF;
END
$$;
