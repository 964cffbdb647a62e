-- What gates count credit by.

CREATE FUNCTION uuid_quarter(id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || encode(substr(uuid_send(id), 1, 6), 'hex'))::bit(48)::bigint / 900000;
COMMENT ON FUNCTION uuid_quarter IS 'The quarter of an hour since 1970 in which a payment id was made.';

-- Each gate asks for what every writer has added since it last asked: first which writers there are in the
-- last quarters, then what follows the number up to which it has read each of them.
DROP INDEX spend_quarter;
CREATE INDEX spend_news ON spend (quarter, writer_id, sequence);

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
BEGIN
    EXECUTE format('GRANT SELECT ON day_close, crawler_day, invoice, invoice_event TO %I', gate);
END
$$;
