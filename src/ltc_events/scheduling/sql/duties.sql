-- What duties share.

-- name: company_time_zone
SELECT content ->> 'time_zone' FROM ltc_read.policies WHERE kind = 'company' ORDER BY version DESC LIMIT 1

-- name: refused_by_access
SELECT command_id, access_version FROM ltc_read.refused_by_access(%(ids)s::uuid[], %(policy)s)
