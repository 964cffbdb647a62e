-- What was added to a day that is still open is signed as well, some minutes later.

CREATE TABLE interim (
    site_id bigint NOT NULL REFERENCES site,
    number bigint NOT NULL CHECK (number > 0),
    first_id uuid NOT NULL,
    end_id uuid NOT NULL,
    entries bigint NOT NULL CHECK (entries >= 0),
    sum_micros bigint NOT NULL CHECK (sum_micros >= 0),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    made_at timestamptz NOT NULL,
    note text NOT NULL,
    verifier_key text NOT NULL,
    PRIMARY KEY (site_id, number),
    UNIQUE (site_id, end_id),
    CHECK (first_id < end_id)
);
COMMENT ON TABLE interim IS 'Interim checkpoints: entries of a site with ids from first_id to before end_id,
as they were when nothing could be added to them any more, minutes after they were made.';
COMMENT ON COLUMN interim.digest IS 'SHA-256 over the SHA-256 of each of its rows of interim_tile, in their
order.';
COMMENT ON COLUMN interim.note IS 'What was signed (ledger/proof/interim.h): all of the row, and the digest of
the text of the one before.';

CREATE TABLE interim_tile (
    site_id bigint NOT NULL,
    number bigint NOT NULL,
    tile bigint NOT NULL CHECK (tile >= 0),
    entries bytea NOT NULL CHECK (octet_length(entries) >= 24 AND octet_length(entries) <= 6144
                                  AND octet_length(entries) % 24 = 0),
    PRIMARY KEY (site_id, number, tile)
);
COMMENT ON TABLE interim_tile IS 'The entries of an interim checkpoint in the order of their ids, up to 256 in
a row: 16 bytes of payment id and the first 8 of the SHA-256 of the entry as JSON, by which one that was
changed, removed or added is named.';

SELECT make_append_only(name::regclass) FROM unnest(ARRAY['interim', 'interim_tile']) AS name;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON interim, interim_tile TO %I',
                   current_setting('crawltab.operator_role'));
END
$$;
