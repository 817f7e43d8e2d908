-- How far read tables are.

-- name: are_laid_out
SELECT to_regclass('ltc_read.projection_status') IS NOT NULL

-- name: status
-- Each projection with its distance from the head: in events, and as the age of the oldest event it has not taken in. A writer
-- that waits for somebody's lock on its table has not failed, and does not get on either.
WITH held_up AS MATERIALIZED (
    SELECT DISTINCT ON (c.relname) c.relname, round(extract(epoch FROM clock_timestamp() - l.waitstart)) AS seconds,
           array_to_string(pg_blocking_pids(l.pid), ', ') AS holders
    FROM pg_locks l
    JOIN pg_class c ON c.oid = l.relation AND c.relnamespace = 'ltc_read'::regnamespace
    WHERE NOT l.granted AND l.locktype = 'relation' AND l.mode = 'RowExclusiveLock'
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.waitstart < clock_timestamp() - interval '1 second'
    ORDER BY c.relname, l.waitstart
)
SELECT s.projection AS name, s.version, s.source, s.partition, s.position,
       CASE WHEN a.position IS NOT NULL THEN 'ahead' WHEN s.state = 'live' AND w.relname IS NOT NULL THEN 'waiting'
            ELSE s.state END AS state,
       h.position - s.position AS lag_events,
       greatest(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8 AS lag_seconds,
       s.moved_at, s.failed_position, s.failed_event,
       coalesce(s.error, CASE WHEN w.relname IS NOT NULL THEN
           format('its writer waits for a lock since %s s; held by process %s', w.seconds, w.holders) END) AS error,
       s.build, s.life, s.life_since, s.life_by, s.life_reason,
       a.position IS NOT NULL AS ahead, c.epoch, s.fault,
       coalesce(nullif(s.fix, ''), CASE WHEN w.relname IS NOT NULL THEN
           format('`SELECT * FROM pg_stat_activity WHERE pid IN (%s)` names it; let it end', w.holders) END) AS fix,
       s.attempts, s.first_failed_at, s.failed_at
FROM ltc_read.projection_status s
JOIN ltc_read.checkpoints c ON (c.version, c.source, c.partition) = (s.version, s.source, s.partition) AND c.projection = s.name
LEFT JOIN ltc_read.tables_ahead() a
    ON (a.projection, a.version, a.source, a.partition) = (s.name, s.version, s.source, s.partition)
CROSS JOIN ltc.head h
LEFT JOIN ltc.events e ON e.position = s.position + 1
LEFT JOIN held_up w ON w.relname = {physical(s.name, s.version)}
ORDER BY s.projection, s.version, s.build, s.source, s.partition
