#!/bin/sh
# A login for each of the ledger's groups, with the password in the secret of the same name. Run once, on an empty volume.
set -eu
for pair in writing:ltc_writer relaying:ltc_relay projecting:ltc_projector reading:ltc_reader; do
  login="ltc_${pair%%:*}"
  psql --no-psqlrc -v ON_ERROR_STOP=1 -q --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" \
    -v login="$login" -v group="${pair#*:}" -v password="$(cat "${SECRETS:-/run/secrets}/${pair%%:*}_password")" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN NOINHERIT', :'login')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'login') \gexec
ALTER ROLE :"login" PASSWORD :'password';
GRANT :"group" TO :"login";
SQL
done
