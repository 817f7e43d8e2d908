-- Which rows of a report differ between two positions, and by which events.

-- name: changes
WITH then_ AS ({then}
), now_ AS ({now}
), differing AS (
    SELECT 0 AS "_side", one.* FROM (SELECT * FROM then_ EXCEPT ALL SELECT * FROM now_) one
    UNION ALL
    SELECT 1, one.* FROM (SELECT * FROM now_ EXCEPT ALL SELECT * FROM then_) one
), keyed AS MATERIALIZED (
    SELECT {key} AS "_key", differing.* FROM differing
), event AS (
    SELECT position, {event_key} AS "_key" FROM ({events}
    ) e
    WHERE position > %(then_position)s AND position <= %(now_position)s
), concern AS (
    SELECT k."_key", e.position FROM (SELECT DISTINCT "_key", {row_key} AS part FROM keyed) k JOIN event e ON e."_key" = k.part
    UNION
    {renamed}
), ranked AS (
    SELECT "_key", position, count(*) OVER (PARTITION BY "_key") AS events,
           row_number() OVER (PARTITION BY "_key" ORDER BY position DESC) AS place
    FROM concern
), told AS (
    SELECT r."_key", max(r.events) AS events,
           jsonb_agg(jsonb_build_object('position', t.position, 'type', t.type, 'effective_on', t.effective_on,
                                        'recorded_at', t.recorded_at, 'actor', t.actor, 'summary', t.summary)
                     ORDER BY t.position, t.part) AS told
    FROM ranked r
    JOIN ltc_read.timeline t USING (position)
    WHERE r.place <= {events_max}
    GROUP BY r."_key"
)
SELECT {columns}, "_side", "_key", coalesce(told.events, 0) AS "_events", told.told AS "_told"
FROM keyed
LEFT JOIN told USING ("_key")
ORDER BY "_key", "_side"

-- name: renamed
SELECT k."_key", p.position
FROM keyed k
JOIN ltc_read.customer_profiles p USING (customer_id)
WHERE p.name IS NOT NULL AND p.effective_on <= %(as_of)s AND p.position > %(then_position)s AND p.position <= %(now_position)s

-- name: nobody
SELECT NULL::text[], NULL::bigint WHERE false

-- name: shape_of_events
SELECT * FROM ({events}
) e LIMIT 0
