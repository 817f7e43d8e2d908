-- What limited readers see: the read tables' rows of some customers, in views of the same names in a schema of their own. Idempotent.
CREATE SCHEMA IF NOT EXISTS ltc_limited;
COMMENT ON SCHEMA ltc_limited IS 'The read tables as a limited reader sees them: only the rows of the customers that the login is limited to.';

CREATE TABLE IF NOT EXISTS ltc.reader_limits (
    login text NOT NULL,
    customer_id uuid,
    country text,
    region text,
    set_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    set_by text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT reader_limits_one CHECK (num_nonnulls(customer_id, country, region) = 1),
    CONSTRAINT reader_limits_key UNIQUE NULLS NOT DISTINCT (login, customer_id, country, region)
);
COMMENT ON TABLE ltc.reader_limits IS 'Whom a limited login may see: a customer, or all that have this country or region now.';

-- With the rights of its owner, so that the reader needs none on what it looks up. In a language that looks at its body when it is
-- called: there may be no read table yet.
CREATE OR REPLACE FUNCTION ltc_limited.visible_customers() RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT l.customer_id FROM ltc.reader_limits l WHERE l.login = session_user AND l.customer_id IS NOT NULL
    UNION
    SELECT c.customer_id FROM ltc.reader_limits l JOIN ltc_read.customers c ON c.country = l.country OR c.region = l.region
    WHERE l.login = session_user;
END
$$;
COMMENT ON FUNCTION ltc_limited.visible_customers() IS 'The customers that the login of this session is limited to; of any other login, none.';

REVOKE ALL ON SCHEMA ltc_limited FROM PUBLIC;
REVOKE ALL ON FUNCTION ltc_limited.visible_customers() FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA ltc_limited TO ltc_projector;
GRANT USAGE ON SCHEMA ltc_limited TO ltc_limited_reader;
GRANT EXECUTE ON FUNCTION ltc_limited.visible_customers() TO ltc_limited_reader, ltc_projector;
