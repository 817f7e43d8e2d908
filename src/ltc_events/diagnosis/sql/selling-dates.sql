-- Steps of leads, opportunities and quotes that are dated before what they follow, the first ones of all.
WITH step AS (
    SELECT position, 'lead' AS what, lead_id AS id, step AS kind, effective_on, dated_before,
           first_value(effective_on) OVER (PARTITION BY lead_id ORDER BY position) AS begun_on
    FROM ltc_read.lead_steps
    UNION ALL
    SELECT position, 'opportunity', opportunity_id, stage, effective_on, dated_before,
           first_value(effective_on) OVER (PARTITION BY opportunity_id ORDER BY position)
    FROM ltc_read.opportunity_stages
    UNION ALL
    SELECT position, 'quote', quote_id, step, effective_on, dated_before,
           first_value(effective_on) OVER (PARTITION BY quote_id ORDER BY position)
    FROM ltc_read.quote_steps
)
SELECT position, what, id, NULL AS number, kind, effective_on, coalesce(dated_before, begun_on) AS earliest,
       count(*) OVER () AS total
FROM step
WHERE dated_before IS NOT NULL OR effective_on < begun_on
ORDER BY position, what
LIMIT %(limit)s
