-- The money that came in for invoices, and how it is collected.

CREATE TABLE invoice_payment (
    site_id bigint NOT NULL,
    number text NOT NULL,
    reference text NOT NULL CHECK (reference <> ''),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    received_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (site_id, number, reference),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);
COMMENT ON TABLE invoice_payment IS 'Money received for an invoice, once per reference. Below zero: paid back,
or a debit that bounced.';

CREATE VIEW invoice_state AS
SELECT i.site_id, i.number, e.at AS status_at,
       coalesce(p.paid_minor, 0) AS paid_minor, coalesce(c.credited_minor, 0) AS credited_minor,
       CASE i.kind WHEN 'invoice'
            THEN i.total_minor - coalesce(p.paid_minor, 0) - coalesce(c.credited_minor, 0) ELSE 0
        END AS open_minor,
       CASE WHEN e.void THEN 'void'
            WHEN i.kind = 'credit-note' THEN CASE WHEN e.sent THEN 'sent' ELSE 'issued' END
            WHEN coalesce(c.credited_minor, 0) >= i.total_minor THEN 'credited'
            WHEN coalesce(p.paid_minor, 0) + coalesce(c.credited_minor, 0) >= i.total_minor THEN 'paid'
            WHEN p.paid_minor > 0 THEN 'part-paid'
            WHEN e.sent THEN 'sent' ELSE 'issued' END AS status
  FROM invoice i
  JOIN LATERAL (SELECT max(happened_at) AS at, bool_or(event = 'void') AS void,
                       bool_or(event = 'sent') AS sent
                  FROM invoice_event WHERE site_id = i.site_id AND number = i.number) AS e ON true
  LEFT JOIN LATERAL (SELECT sum(amount_minor)::bigint AS paid_minor FROM invoice_payment
                      WHERE site_id = i.site_id AND number = i.number) AS p ON true
  LEFT JOIN LATERAL (SELECT sum(total_minor)::bigint AS credited_minor FROM invoice
                      WHERE site_id = i.site_id AND corrects = i.number) AS c ON true;
COMMENT ON VIEW invoice_state IS 'What events, payments and credit notes have made of an invoice. That an open
one is overdue depends on the clock.';

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
  FROM unnest(ARRAY['invoice_payment', 'settlement_batch', 'settlement']) AS name;
