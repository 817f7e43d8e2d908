-- Whom limited readers may see.

-- name: login
SELECT CASE WHEN r.rolsuper THEN 'a superuser' ELSE (
    SELECT 'a member of ' || string_agg(g.rolname, ', ' ORDER BY g.rolname) FROM pg_roles g
    WHERE g.rolname IN ('ltc_reader', 'ltc_projector', 'ltc_writer', 'ltc_relay', 'ltc_notary', 'pg_read_all_data') AND pg_has_role(r.oid, g.oid, 'MEMBER')
) END
FROM pg_roles r WHERE r.rolname = %(login)s AND r.rolcanlogin

-- name: forget
DELETE FROM ltc.reader_limits WHERE login = %(login)s

-- name: limit
INSERT INTO ltc.reader_limits (login, customer_id, country, region, set_by, reason) VALUES (%s, %s, %s, %s, %s, %s)

-- name: limits
SELECT l.login, l.customer_id, l.country, l.region, l.set_by, l.reason, CASE WHEN r.rolsuper THEN 'a superuser' ELSE (
    SELECT 'a member of ' || string_agg(g.rolname, ', ' ORDER BY g.rolname) FROM pg_roles g
    WHERE g.rolname IN ('ltc_reader', 'ltc_projector', 'ltc_writer', 'ltc_relay', 'ltc_notary', 'pg_read_all_data') AND pg_has_role(r.oid, g.oid, 'MEMBER')
) END AS sees_all
FROM ltc.reader_limits l LEFT JOIN pg_roles r ON r.rolname = l.login
ORDER BY l.login, l.customer_id, l.country, l.region
