-- What duties share.

-- name: company_time_zone
SELECT content ->> 'time_zone' FROM ltc_read.policies WHERE kind = 'company' ORDER BY version DESC LIMIT 1
