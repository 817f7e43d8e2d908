-- Why read tables do not advance.

-- name: ids_of
SELECT command_id, correlation_id, causation_id FROM ltc.events WHERE position = %s

-- name: record_failure
INSERT INTO ltc_read.projection_failures AS f (projection, version, source, partition, failed_position, failed_event, error,
    failed_at, fault, fix, waits, attempts, first_failed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp(), %s, %s, %s, 1, clock_timestamp())
ON CONFLICT (projection, version, source, partition) DO UPDATE SET failed_position = excluded.failed_position,
failed_event = excluded.failed_event, error = excluded.error, failed_at = excluded.failed_at, fault = excluded.fault,
fix = excluded.fix, waits = excluded.waits,
attempts = CASE f.failed_position WHEN excluded.failed_position THEN f.attempts + 1 ELSE 1 END,
first_failed_at = CASE f.failed_position WHEN excluded.failed_position THEN f.first_failed_at ELSE excluded.failed_at END
