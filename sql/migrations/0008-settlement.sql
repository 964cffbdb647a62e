-- How invoices are collected. It only reads what the night has written: a failed collection changes no
-- invoice.

CREATE TABLE settlement_batch (
    batch_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    rail text NOT NULL CHECK (rail IN ('sepa-direct-debit', 'ach', 'x402', 'card')),
    currency text NOT NULL,
    invoices bigint NOT NULL CHECK (invoices > 0),
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    made_at timestamptz NOT NULL,
    collect_on date NOT NULL,
    actor text NOT NULL,
    content bytea NOT NULL,
    digest bytea NOT NULL CHECK (digest = sha256(content))
);
COMMENT ON TABLE settlement_batch IS 'One file, or call, that collects money for some invoices.';
COMMENT ON COLUMN settlement_batch.content IS 'The file, byte for byte: it can be written again, and is never
made again with other bytes.';

CREATE TABLE settlement (
    site_id bigint NOT NULL,
    number text NOT NULL,
    rail text NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    batch_id uuid NOT NULL REFERENCES settlement_batch,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (site_id, number, rail, attempt),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);
COMMENT ON TABLE settlement IS 'An invoice in a batch. The key is what makes collecting twice impossible: a
second attempt is made only when somebody says that the first one failed.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['settlement_batch', 'settlement']) AS name;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON settlement_batch, settlement TO %I',
                   current_setting('crawltab.operator_role'));
END
$$;
