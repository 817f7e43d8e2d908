-- Who may do what. Idempotent.
REVOKE ALL ON SCHEMA ltc, ltc_read FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ltc FROM PUBLIC;

GRANT USAGE ON SCHEMA ltc TO ltc_writer, ltc_relay, ltc_projector;
GRANT INSERT, SELECT ON ltc.events, ltc.outcomes, ltc.traces, ltc.dead_letters, ltc.dead_letter_steps TO ltc_writer;
-- The head and the offsets move by functions alone; until release 0.1 the writer's group could write them.
REVOKE UPDATE ON ltc.head FROM ltc_writer;
REVOKE INSERT, UPDATE ON ltc.offsets FROM ltc_writer;
GRANT SELECT ON ltc.head, ltc.offsets TO ltc_writer;
GRANT EXECUTE ON FUNCTION ltc.take_head_positions(bigint, bigint), ltc.await_head() TO ltc_writer;
GRANT EXECUTE ON FUNCTION ltc.advance_offset(text, integer, bigint, bigint) TO ltc_writer;
GRANT EXECUTE ON FUNCTION ltc.require_unwritten(bigint, bigint, uuid[], uuid[]) TO ltc_writer;
-- The relay reads what it publishes, and moves the offset of that.
GRANT SELECT ON ltc.events, ltc.traces, ltc.head, ltc.offsets TO ltc_relay;
GRANT EXECUTE ON FUNCTION ltc.advance_published(text, integer, bigint, bigint) TO ltc_relay;
GRANT EXECUTE ON FUNCTION ltc.command_span(bigint) TO ltc_writer, ltc_projector;
GRANT SELECT ON ltc.dead_letter_states TO ltc_writer, ltc_projector;
GRANT SELECT ON ltc.events, ltc.outcomes, ltc.traces, ltc.dead_letters, ltc.dead_letter_steps, ltc.head, ltc.offsets TO ltc_projector;
GRANT SELECT ON ltc.epochs, ltc.expired_messages TO ltc_writer, ltc_relay, ltc_projector;
-- What it finds on the topic of events and is none.
GRANT INSERT ON ltc.dead_letters TO ltc_projector;

GRANT USAGE, CREATE ON SCHEMA ltc_read TO ltc_projector;
GRANT USAGE ON SCHEMA ltc_read TO ltc_reader;
GRANT EXECUTE ON FUNCTION ltc_read.refused_by_access(uuid[], uuid) TO ltc_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA ltc_read TO ltc_reader;
-- Read tables come and go with rebuilds: what the projector makes later, the reader may read at once.
ALTER DEFAULT PRIVILEGES FOR ROLE ltc_projector IN SCHEMA ltc_read GRANT SELECT ON TABLES TO ltc_reader;
