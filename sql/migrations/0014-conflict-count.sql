-- Whoever has seen a paid id can sign another request for it as often as he likes. What the first tries say
-- is evidence; the rest is a number.

CREATE TABLE conflict_count (
    site_id bigint NOT NULL REFERENCES site,
    payment_id uuid NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    attempts bigint NOT NULL CHECK (attempts > 0),
    PRIMARY KEY (payment_id, crawler_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE conflict_count IS 'How often a crawler has used a payment id that was used before, for
something else or by somebody else. The first attempts are kept as rows of conflict.';

CREATE FUNCTION refuse_miscount() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempts <> OLD.attempts + 1 OR NEW.site_id <> OLD.site_id OR NEW.payment_id <> OLD.payment_id
       OR NEW.crawler_id <> OLD.crawler_id THEN
        RAISE EXCEPTION 'attempts are counted one by one' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_up BEFORE UPDATE ON conflict_count FOR EACH ROW EXECUTE FUNCTION refuse_miscount();
ALTER TABLE conflict_count ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON conflict_count
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE conflict_count ENABLE ALWAYS TRIGGER append_only;

INSERT INTO conflict_count (site_id, payment_id, crawler_id, attempts)
SELECT min(site_id), payment_id, crawler_id, count(*) FROM conflict GROUP BY payment_id, crawler_id;

CREATE FUNCTION note_conflicts(at_ms bigint, payment_ids uuid[], site_ids bigint[],
                               crawler_ids bigint[], amounts bigint[], rules text[], resources text[],
                               thumbprints bytea[], signatures bytea[], signature_bases bytea[],
                               agreement_ids bigint[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    attempt record;
    number bigint;
BEGIN
    -- In one order, so that two gates do not wait for each other.
    FOR attempt IN
        SELECT *, sha256(signature || signature_base) AS evidence
          FROM unnest(payment_ids, site_ids, crawler_ids, amounts, rules, resources, thumbprints, signatures,
                      signature_bases, agreement_ids)
               AS a (payment_id, site_id, crawler_id, amount_micros, rule, resource, thumbprint, signature,
                     signature_base, agreement_id)
         ORDER BY payment_id, crawler_id
    LOOP
        -- What is kept is no new attempt when it comes again. (Of what is only counted nobody can tell.)
        CONTINUE WHEN EXISTS (SELECT FROM conflict c
                               WHERE c.payment_id = attempt.payment_id AND c.evidence = attempt.evidence);
        INSERT INTO conflict_count AS c (site_id, payment_id, crawler_id, attempts)
        VALUES (attempt.site_id, attempt.payment_id, attempt.crawler_id, 1)
        ON CONFLICT (payment_id, crawler_id) DO UPDATE SET attempts = c.attempts + 1
        RETURNING attempts INTO number;
        CONTINUE WHEN number > 8;
        INSERT INTO conflict (payment_id, evidence, site_id, crawler_id, amount_micros, rule, resource,
                              recorded_at, thumbprint, signature, signature_base, agreement_id)
        VALUES (attempt.payment_id, attempt.evidence, attempt.site_id, attempt.crawler_id,
                attempt.amount_micros, attempt.rule, attempt.resource, instant(at_ms), attempt.thumbprint,
                attempt.signature, attempt.signature_base, nullif(attempt.agreement_id, 0))
        ON CONFLICT DO NOTHING;
    END LOOP;
END
$$;
COMMENT ON FUNCTION note_conflicts IS 'Keeps the first eight attempts of a crawler with a payment id, and
counts all. With the owner''s rights: the gate itself may not write these tables, nor change a row of any.';
REVOKE ALL ON FUNCTION note_conflicts FROM PUBLIC;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('REVOKE INSERT ON conflict FROM %I', gate);
    EXECUTE format('GRANT SELECT ON conflict_count TO %I', night);
    EXECUTE format('GRANT EXECUTE ON FUNCTION note_conflicts TO %I', gate);
END
$$;
