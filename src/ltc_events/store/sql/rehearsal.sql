-- What a rehearsal keeps, for SQLite. The database is temporary and of one process: its file has no name and ends with it.

-- name: layout
PRAGMA cache_size = -32768;
PRAGMA journal_mode = MEMORY;
PRAGMA synchronous = OFF;
CREATE TABLE outcomes (
    command_id BLOB PRIMARY KEY, command_type TEXT NOT NULL, content_hash BLOB NOT NULL, status TEXT NOT NULL,
    first_position INTEGER NOT NULL, last_position INTEGER NOT NULL, reasons BLOB NOT NULL, principal TEXT
) WITHOUT ROWID;
CREATE TABLE events (
    position INTEGER PRIMARY KEY, stream_id BLOB NOT NULL, version INTEGER NOT NULL, type TEXT NOT NULL, data BLOB NOT NULL,
    customer_id BLOB, occurred_at TEXT NOT NULL, effective_on TEXT NOT NULL, command_id BLOB NOT NULL,
    correlation_id BLOB NOT NULL, causation_id BLOB NOT NULL, actor TEXT NOT NULL
);
CREATE UNIQUE INDEX streams ON events (stream_id, version);
CREATE INDEX beginnings ON events (customer_id, position) WHERE version = 1;

-- name: put_outcome
INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: put_event
INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: outcome
SELECT command_type, content_hash, status, first_position, last_position, reasons, principal FROM outcomes WHERE command_id = ?

-- name: stream
SELECT * FROM events WHERE stream_id = ? AND version > ? ORDER BY version

-- name: range
SELECT * FROM events WHERE position > ? AND position <= ? ORDER BY position

-- name: beginnings
SELECT stream_id, type FROM events WHERE customer_id = ? AND version = 1 ORDER BY position

-- name: correlated
SELECT stream_id, type FROM events WHERE substr(correlation_id, 9) = ? ORDER BY position
