-- The views that readers use: what depends on them, who may read them, what is said of them.

-- name: dependents
SELECT DISTINCT CASE d.classid WHEN 'pg_rewrite'::regclass THEN r.ev_class::regclass::text
    ELSE pg_describe_object(d.classid, d.objid, d.objsubid) END
FROM pg_depend d LEFT JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = to_regclass(%(view)s) AND d.deptype = 'n'
AND r.ev_class IS DISTINCT FROM to_regclass(%(view)s) AND (%(columns)s::text[] IS NULL OR a.attname = ANY (%(columns)s::text[]))
ORDER BY 1

-- name: view_columns
SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum

-- name: grants
SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
FROM pg_class c
CROSS JOIN aclexplode(c.relacl) a
WHERE c.oid = to_regclass(%s) AND a.grantee <> c.relowner

-- name: descriptions
SELECT a.attname, d.description
FROM pg_description d
LEFT JOIN pg_attribute a ON a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid > 0
WHERE d.classoid = 'pg_class'::regclass AND d.objoid = to_regclass(%s)
