-- Whether there is a ledger. By the catalogue: a name could only be looked up by who may use its schema.
SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE (n.nspname, c.relname) = ('ltc', 'events'))
