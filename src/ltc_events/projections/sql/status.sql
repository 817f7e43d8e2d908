-- Each projection with its distance from the head: in events, and as the age of the oldest event it has not taken in.
SELECT s.projection AS name, s.version, s.source, s.partition, s.position, s.state,
       h.position - s.position AS lag_events,
       greatest(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8 AS lag_seconds,
       s.moved_at, s.failed_position, s.failed_event, s.error,
       s.build, s.life, s.life_since, s.life_by, s.life_reason
FROM ltc_read.projection_status s
CROSS JOIN ltc.head h
LEFT JOIN ltc.events e ON e.position = s.position + 1
ORDER BY s.projection, s.version, s.build, s.source, s.partition
