-- Those of these tables of the ledger that nothing keeps append-only.
SELECT wanted.name FROM unnest(%s::text[]) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'append_only' AND tgenabled = 'A'
                  AND tgrelid = to_regclass('ltc.' || wanted.name))
ORDER BY wanted.name
