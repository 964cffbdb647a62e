-- Files of a rail and a day are told apart.

ALTER TABLE settlement_batch ADD COLUMN file_of_day integer CHECK (file_of_day >= 0);
COMMENT ON COLUMN settlement_batch.file_of_day IS 'How many batches of the rail were made before it on the
same day (UTC), for whatever site: what tells files of a day apart in ACH. NULL: made by a version that called
them all the same.';
CREATE UNIQUE INDEX settlement_batch_day
    ON settlement_batch (((made_at AT TIME ZONE 'UTC')::date), file_of_day) WHERE rail = 'ach';
