-- The epochs of the store: a new one begins when the store has gone back, after a restore or a promotion that lost what others
-- had seen already. The last row is the present one. Idempotent.
CREATE TABLE IF NOT EXISTS ltc.epochs (
    number integer NOT NULL,
    epoch text NOT NULL,
    after bigint NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    begun_by text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT epochs_key PRIMARY KEY (epoch)
);
COMMENT ON COLUMN ltc.epochs.epoch IS 'its name: the number, and what tells it from another one of that number';
COMMENT ON COLUMN ltc.epochs.after IS 'events behind this position are of this epoch, up to where the next one begins';
INSERT INTO ltc.epochs (number, epoch, after, begun_by, reason)
SELECT 1, '1-' || left(replace(gen_random_uuid()::text, '-', ''), 12), 0, current_user, 'the ledger was laid out'
WHERE NOT EXISTS (SELECT FROM ltc.epochs);

-- Messages that a topic no longer had when they were to be read, and who let the reader go on without them.
CREATE TABLE IF NOT EXISTS ltc.expired_messages (
    feed text NOT NULL,
    partition integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    passed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    passed_by text NOT NULL,
    reason text NOT NULL,
    CONSTRAINT expired_messages_key PRIMARY KEY (feed, partition, first_offset)
);
COMMENT ON COLUMN ltc.expired_messages.next_offset IS 'the first that was there again; those before it, from the first on, were never read';
