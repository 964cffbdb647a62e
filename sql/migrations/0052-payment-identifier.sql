-- Payers may give a payment an identifier of their own (extension payment-identifier of x402): used for
-- another payment it is refused, so that who lost an answer and pays anew by mistake pays once.
-- Gates since 46 go on.

CREATE TABLE payment_identifier (
    claim uuid PRIMARY KEY,
    payment_id uuid NOT NULL,
    payload bytea NOT NULL CHECK (octet_length(payload) = 32)
) PARTITION BY RANGE (claim);
COMMENT ON TABLE payment_identifier IS 'Which payments payers'' own identifiers are bound to. Written before
the entry.';
COMMENT ON COLUMN payment_identifier.claim IS 'A UUID whose time is the begin of the payment''s UTC day and
whose chance are the first bits of a hash of site, crawler and identifier: it is bound once a day.';
COMMENT ON COLUMN payment_identifier.payload IS 'SHA-256 of what was paid with: the same payment sent again
has the same.';
SELECT make_append_only('payment_identifier');

CREATE OR REPLACE FUNCTION day_tables() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['delivery', 'delivery_tile', 'handover', 'page_copy', 'payment_identifier'];
COMMENT ON FUNCTION day_tables IS 'Tables beside charge that are parted by the UTC days of payment ids, too:
what a day has in them goes when its entries go.';

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    PERFORM day_partition_make('payment_identifier', to_date(right(relname, 8), 'YYYYMMDD'))
       FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'charge'::regclass;
    EXECUTE format('GRANT SELECT, INSERT ON payment_identifier TO %I', gate);
    EXECUTE format('GRANT SELECT ON payment_identifier TO %I', night);
END
$$;
