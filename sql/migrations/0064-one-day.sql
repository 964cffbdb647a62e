-- A statement that joined entries, deliveries, copies of pages or identifiers of payers by ids that it had to
-- read first was planned, and begun, for the tables of all days: a payment with an identifier, one that was
-- sent again, or a page that did not arrive took longer with each day of history. Each of these reads is a
-- function now, planned with the id at hand.
-- Gates since 46 go on.

CREATE OR REPLACE FUNCTION charge_of(of_payment uuid) RETURNS SETOF charge
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM charge WHERE payment_id = of_payment;
END
$$;
COMMENT ON FUNCTION charge_of IS 'The entry with an id, if there is one: what joins entries with other tables
does it by this and charge_range. It is planned with the id at hand, and so for one day''s table; a join of
many ids, or of one that the statement reads first, would be planned for the tables of all days. In a cluster
(crawltab migrate --citus) it has another text, since these tables are on one server only.';

CREATE OR REPLACE FUNCTION delivery_of(of_payment uuid) RETURNS SETOF delivery
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM delivery WHERE payment_id = of_payment;
END
$$;
COMMENT ON FUNCTION delivery_of IS 'What was delivered for a payment, once or twice: planned as charge_of.';

CREATE OR REPLACE FUNCTION page_copy_of(of_payment uuid) RETURNS SETOF page_copy
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM page_copy WHERE payment_id = of_payment;
END
$$;
COMMENT ON FUNCTION page_copy_of IS 'Which copies of pages a payment is for: planned as charge_of.';

CREATE OR REPLACE FUNCTION page_copies(of_crawler bigint, of_copy bytea, from_id uuid, to_id uuid)
    RETURNS SETOF page_copy
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM page_copy
                  WHERE crawler_id = of_crawler AND copy = of_copy AND repeats IS NULL AND whole
                    AND payment_id >= from_id AND payment_id < to_id;
END
$$;
COMMENT ON FUNCTION page_copies IS 'The payments of a crawler for one copy of a page with ids from from_id to
before to_id, which repeat none and came whole: planned as charge_of.';

CREATE OR REPLACE FUNCTION identifier_of(of_claim uuid) RETURNS SETOF payment_identifier
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM payment_identifier WHERE claim = of_claim;
END
$$;
COMMENT ON FUNCTION identifier_of IS 'What a payer''s identifier is bound to: planned as charge_of.';

CREATE OR REPLACE FUNCTION paid_ids(of_site bigint, of_crawler bigint, from_id uuid, to_id uuid)
    RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT c.payment_id FROM billable_range(from_id, to_id) c
                  WHERE c.site_id = of_site AND c.crawler_id = of_crawler AND c.amount_micros > 0;
END
$$;
COMMENT ON FUNCTION paid_ids IS 'The ids from from_id to before to_id of a crawler''s entries that are billed
and cost something: planned as charge_of.';

CREATE OR REPLACE FUNCTION crawls_of_line(of_site bigint, of_crawler bigint, of_rule text, of_price bigint,
                                          from_id uuid, to_id uuid, after_id uuid)
    RETURNS SETOF charge
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT c.* FROM billable_range(greatest(from_id, after_id), to_id) c
                  WHERE c.site_id = of_site AND c.crawler_id = of_crawler AND c.rule = of_rule
                    AND c.amount_micros = of_price AND c.payment_id > after_id
                  ORDER BY c.payment_id LIMIT 500;
END
$$;
COMMENT ON FUNCTION crawls_of_line IS 'The next 500 entries at most, with ids from from_id to before to_id and
after after_id, that a line of an invoice bills: planned as charge_of.';

CREATE OR REPLACE FUNCTION billing_undelivered(of_site bigint, of_date date)
    RETURNS TABLE (payment_id uuid, crawler_id bigint, amount_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH lost AS (
        SELECT c.payment_id, c.crawler_id, c.amount_micros, coalesce(u.final_micros, 0) AS final_micros
          FROM billing_day(of_site, of_date) b
          JOIN undelivered u ON u.site_id = of_site AND u.payment_id >= b.first_id AND u.payment_id < b.end_id
          JOIN LATERAL charge_range(b.first_id, b.end_id) c ON c.site_id = of_site
           AND c.payment_id = u.payment_id
           AND NOT EXISTS (SELECT FROM unproven n WHERE n.payment_id = u.payment_id)
         -- Two requests with one id at the same time: the answer to the second came whole.
         WHERE NOT (u.told_by = 'gate' AND u.final_micros IS NULL AND EXISTS (
                   SELECT FROM delivery d WHERE d.payment_id = u.payment_id AND d.repeated
                      AND d.ended = 'whole' AND d.status = 200 AND d.sent_bytes > 0))
    ), terms AS (
        SELECT t.crawler_id, t.crawls_before, a.agreement_id, a.subscription, a.included_crawls,
               NOT a.subscription AND (a.included_crawls > 0 OR EXISTS (
                   SELECT FROM agreement_tier r WHERE r.agreement_id = a.agreement_id)) AS counts
          FROM billing_terms(of_site, of_date) t JOIN agreement a USING (agreement_id)
         WHERE t.crawler_id IN (SELECT l.crawler_id FROM lost l)
    ), numbered AS (
        -- As billing_discounts numbers them.
        SELECT c.payment_id, t.crawls_before - t.included_crawls
               + row_number() OVER (PARTITION BY c.crawler_id ORDER BY c.payment_id) AS nth
          FROM billing_day(of_site, of_date) b
          JOIN LATERAL billable_range(b.first_id, b.end_id) c ON c.site_id = of_site AND c.amount_micros > 0
          JOIN terms t ON t.crawler_id = c.crawler_id AND t.counts
    ), discounted AS (
        SELECT l.*, CASE WHEN t.subscription OR n.nth <= 0 THEN 1000000 ELSE coalesce((
                       SELECT r.discount_ppm FROM agreement_tier r
                        WHERE r.agreement_id = t.agreement_id AND r.from_crawl <= n.nth
                        ORDER BY r.from_crawl DESC LIMIT 1), 0) END AS ppm
          FROM lost l LEFT JOIN terms t USING (crawler_id) LEFT JOIN numbered n USING (payment_id)
    ), billed AS (
        -- What is left is as if the entry had been of the final amount.
        SELECT d.payment_id, d.crawler_id, d.amount_micros - share_of(d.amount_micros, d.ppm)
               - (d.final_micros - share_of(d.final_micros, d.ppm))
               - coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                            WHERE a.payment_id = d.payment_id), 0) AS amount_micros
          FROM discounted d
    )
    SELECT b.payment_id, b.crawler_id, b.amount_micros FROM billed b WHERE b.amount_micros > 0
$$;
COMMENT ON FUNCTION billing_undelivered IS 'What a day''s close has to take back: of pages that were paid for
and not delivered whole, or billed at a lower final amount, what the terms have not taken off and nobody has
taken back.';
