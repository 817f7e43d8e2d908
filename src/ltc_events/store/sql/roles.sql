-- The groups that may use the ledger. They are the server's, so another database may have made them.
DO $$
DECLARE
    wanted text;
    may_set text := CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['ltc_writer', 'ltc_relay', 'ltc_projector', 'ltc_reader', 'ltc_notary', 'ltc_limited_reader'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            END IF;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database's initialisation was quicker
        END;
        -- Connections step down with SET ROLE, which whoever initialises must be allowed to (as a superuser always is). Nobody of
        -- ours steps down to a limited reader.
        IF wanted <> 'ltc_limited_reader' AND NOT pg_has_role(current_user, wanted, may_set) THEN
            EXECUTE format('GRANT %I TO CURRENT_USER', wanted);
        END IF;
    END LOOP;
END
$$;
