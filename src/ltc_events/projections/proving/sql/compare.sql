-- Two tables of one key, side by side: `l` and `r`.

-- name: counts
SELECT count({left}), count({right}), count(*) FILTER (WHERE {right} IS NULL), count(*) FILTER (WHERE {left} IS NULL),
       {differing}
FROM {both}

-- name: differing
count(*) FILTER (WHERE {left} IS NOT NULL AND {right} IS NOT NULL AND {differs})

-- name: differences
SELECT {values}
FROM {both}
WHERE {left} IS NULL OR {right} IS NULL OR {differs}
ORDER BY {order} LIMIT {limit}

-- name: both
{left} l FULL JOIN {right} r ON {same}
