-- Events of more bytes than an event may have today.
SELECT position, type, octet_length(data) AS bytes, count(*) OVER () AS total
FROM ltc.events
WHERE octet_length(data) > 16384 AND octet_length(data) > %(most)s  -- the first condition is the index's
ORDER BY position
LIMIT %(limit)s
