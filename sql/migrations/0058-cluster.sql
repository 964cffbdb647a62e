-- Entries are joined with other tables by functions, which are read as the table itself. In a cluster they
-- have another text (sql/citus.sql), as the tables that they are joined with are on one server only.
-- Gates since 46 go on.

CREATE OR REPLACE FUNCTION charge_of(of_payment uuid) RETURNS SETOF charge
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 1 AS $$
    SELECT * FROM charge WHERE payment_id = of_payment
$$;
COMMENT ON FUNCTION charge_of IS 'The entry with an id, if there is one: what joins entries with other tables
does it by this and charge_range. In one database it is read as the table itself; in a cluster
(crawltab migrate --citus) it has another text, since these tables are on one server only.';

CREATE OR REPLACE FUNCTION charge_range(from_id uuid, to_id uuid) RETURNS SETOF charge
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT * FROM charge WHERE payment_id >= from_id AND payment_id < to_id
$$;
COMMENT ON FUNCTION charge_range IS 'The entries with ids from one to before another, as charge_of.';

CREATE OR REPLACE FUNCTION billable_range(from_id uuid, to_id uuid) RETURNS SETOF charge
    LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT c.* FROM charge_range(from_id, to_id) c
     WHERE NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id)
$$;
COMMENT ON FUNCTION billable_range IS 'Those of charge_range that are billed, or will be: all but those of
unproven.';

CREATE OR REPLACE FUNCTION note_undelivered(of_payment uuid, answer_status integer, sent bigint,
                                 length bigint, told_by text, by_writer uuid, batch bigint,
                                 final bigint DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    paid charge;
BEGIN
    SELECT * INTO paid FROM charge_of(of_payment);
    IF NOT FOUND THEN
        RETURN 'no-charge';
    END IF;
    IF final >= paid.amount_micros THEN
        RETURN 'differs'; -- it takes back, and never adds
    END IF;
    IF NOT EXISTS (SELECT FROM undelivered WHERE payment_id = of_payment) THEN
        IF of_payment < (SELECT end_id FROM day_seal WHERE site_id = paid.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
            RETURN 'sealed';
        END IF;
        INSERT INTO undelivered (payment_id, site_id, status, sent_bytes, length_bytes, told_by, final_micros)
        VALUES (of_payment, paid.site_id, answer_status, sent, length, told_by, final) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
            VALUES (by_writer, batch, paid.site_id, paid.crawler_id, uuid_quarter(of_payment),
                    CASE WHEN final IS NULL THEN -1 ELSE 0 END, coalesce(final, 0) - paid.amount_micros);
            RETURN 'recorded';
        END IF;
    END IF;
    -- Seen by this statement, also when it was another one's that it waited for.
    RETURN CASE WHEN EXISTS (SELECT FROM undelivered u WHERE u.payment_id = of_payment
                                AND u.final_micros IS NOT DISTINCT FROM final)
                THEN 'known' ELSE 'differs' END;
END
$$;
COMMENT ON FUNCTION note_undelivered IS 'Records once that a paid page was not delivered whole, or is billed
at a final amount below its entry''s, and gives the crawler that credit back as batch of a writer: recorded,
known (it was before), differs (it has another end, or the entry is of no more), no-charge (there is no such
entry) or sealed (its day is). With the owner''s rights: the gate itself may not write this table.';

CREATE OR REPLACE FUNCTION billing_undelivered(of_site bigint, of_date date)
    RETURNS TABLE (payment_id uuid, crawler_id bigint, amount_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH lost AS (
        SELECT c.payment_id, c.crawler_id, c.amount_micros, coalesce(u.final_micros, 0) AS final_micros
          FROM billing_day(of_site, of_date) b
          JOIN undelivered u ON u.site_id = of_site AND u.payment_id >= b.first_id AND u.payment_id < b.end_id
          JOIN LATERAL charge_of(u.payment_id) c ON c.site_id = of_site
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

CREATE OR REPLACE FUNCTION billing_discounts(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, kind text, rule text, unit_price_micros bigint, quantity bigint,
                   detail text)
    LANGUAGE sql STABLE AS $$
    WITH counted AS (
        SELECT t.crawler_id, t.agreement_id, t.crawls_before, p.paid AS crawls, a.included_crawls,
               a.subscription
          FROM billing_terms(of_site, of_date) t JOIN agreement a USING (agreement_id),
               LATERAL paid_crawls(of_site, of_date, t.crawler_id) AS p (paid)
         WHERE p.paid > 0
    ), band AS (
        -- From and to: numbers of crawls in the period. Included crawls come first, then tiers.
        SELECT c.crawler_id, c.crawls_before, c.crawls, 'included' AS kind, 1 AS from_crawl,
               c.included_crawls AS to_crawl, 1000000 AS discount_ppm, '' AS detail
          FROM counted c WHERE NOT c.subscription AND c.included_crawls > 0
        UNION ALL
        SELECT c.crawler_id, c.crawls_before, c.crawls, 'tier', c.included_crawls + r.from_crawl,
               c.included_crawls + coalesce(lead(r.from_crawl)
                   OVER (PARTITION BY c.crawler_id ORDER BY r.from_crawl) - 1, 1000000000000000),
               r.discount_ppm, rate_text(r.discount_ppm) || ' off from crawl ' || r.from_crawl
          FROM counted c JOIN agreement_tier r USING (agreement_id) WHERE NOT c.subscription
    ), touched AS (
        SELECT * FROM band WHERE from_crawl <= crawls_before + crawls AND to_crawl > crawls_before
    ), price AS (
        SELECT l.crawler_id, l.rule, l.unit_price_micros AS price, l.quantity FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind = 'crawls'
    ), split AS (
        -- Days in which a band begins or ends: only there do single entries have to be counted.
        SELECT DISTINCT crawler_id, crawls_before FROM touched
         WHERE from_crawl > crawls_before + 1 OR to_crawl < crawls_before + crawls
    ), numbered AS (
        SELECT c.crawler_id, c.rule, c.amount_micros AS price,
               s.crawls_before + row_number() OVER (PARTITION BY c.crawler_id ORDER BY c.payment_id) AS nth
          FROM billing_day(of_site, of_date) b
          JOIN LATERAL billable_range(b.first_id, b.end_id) c ON c.site_id = of_site AND c.amount_micros > 0
          JOIN split s USING (crawler_id)
    ), found AS (
        SELECT b.crawler_id, b.kind, b.detail, b.discount_ppm, p.rule, p.price, p.quantity
          FROM touched b JOIN price p USING (crawler_id)
         WHERE NOT EXISTS (SELECT FROM split s WHERE s.crawler_id = b.crawler_id)
        UNION ALL
        SELECT b.crawler_id, b.kind, b.detail, b.discount_ppm, n.rule, n.price, count(*)
          FROM touched b JOIN numbered n ON n.crawler_id = b.crawler_id
           AND n.nth BETWEEN b.from_crawl AND b.to_crawl
         GROUP BY b.crawler_id, b.kind, b.detail, b.discount_ppm, n.rule, n.price
        UNION ALL
        SELECT c.crawler_id, 'subscription', '', 1000000, p.rule, p.price, p.quantity
          FROM counted c JOIN price p USING (crawler_id) WHERE c.subscription
    )
    SELECT f.crawler_id, f.kind, f.rule, share_of(f.price, f.discount_ppm), -sum(f.quantity)::bigint,
           CASE f.kind WHEN 'tier' THEN f.detail || ' at ' || micros_text(f.price) ELSE '' END
      FROM found f WHERE share_of(f.price, f.discount_ppm) > 0
     GROUP BY f.crawler_id, f.kind, f.rule, f.price, f.discount_ppm, f.detail
$$;
COMMENT ON FUNCTION billing_discounts IS 'What the terms take off the day''s crawls: covered by a
subscription, included, or discounted by tiers, in the order of payment ids within the period. A discount is
rounded down to the micro-unit for each crawl, so that it does not depend on how days divide a period. Crawls
at no price are not counted (paid_crawls).';

CREATE OR REPLACE FUNCTION dispute_subjects(of_site bigint, of_crawler bigint, payments uuid[],
                                            numbers text[], lines integer[], at timestamptz,
                                            of_window integer)
    RETURNS TABLE (place integer, crawler_id bigint, amount_micros bigint, cause text, detail text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH asked AS (
        SELECT n::integer AS place, payment_id, number, line
          FROM unnest(payments, numbers, lines) WITH ORDINALITY AS a (payment_id, number, line, n)
    ), payment AS (
        SELECT a.*, c.site_id AS paid_at, c.crawler_id, c.amount_micros, c.rule,
               billing_invoice(c.site_id, c.crawler_id, c.payment_id, 9223372036854775807) AS stands_on
          FROM asked a LEFT JOIN LATERAL charge_of(a.payment_id) c ON true WHERE a.payment_id IS NOT NULL
    ), line AS (
        SELECT a.*, i.crawler_id, i.kind AS document, i.made_at, l.kind, l.amount_micros, l.quantity,
               l.description, l.unit_price_micros
          FROM asked a LEFT JOIN invoice i ON i.site_id = of_site AND i.number = a.number
          LEFT JOIN invoice_line l ON l.site_id = i.site_id AND l.number = i.number AND l.line = a.line
         WHERE a.payment_id IS NULL
    ), whose AS (
        -- The crawler of the first subject that has one, where nobody says whose dispute it is.
        SELECT coalesce(nullif(of_crawler, 0), (
                   SELECT w.crawler_id FROM (
                       SELECT p.place, p.crawler_id FROM payment p WHERE p.paid_at = of_site
                       UNION ALL SELECT l.place, l.crawler_id FROM line l) AS w
                    WHERE w.crawler_id IS NOT NULL ORDER BY w.place LIMIT 1)) AS crawler_id
    ), period AS (
        SELECT w.crawler_id, coalesce((
                   SELECT a.dispute_window_days FROM agreement a
                    WHERE a.site_id = of_site AND a.crawler_id = w.crawler_id AND a.valid_from <= at
                    ORDER BY a.version DESC LIMIT 1), of_window) AS days
          FROM whose w
    ), judged AS (
        SELECT p.place, p.crawler_id, p.amount_micros,
               CASE WHEN p.paid_at IS NULL AND EXISTS (
                         SELECT FROM archived w
                          WHERE w.utc_date = (uuid_instant(p.payment_id) AT TIME ZONE 'UTC')::date)
                    THEN 'archived'
                    WHEN p.paid_at IS NULL OR of_crawler <> 0 AND (p.paid_at, p.crawler_id)
                                                               IS DISTINCT FROM (of_site, of_crawler)
                    THEN 'unknown'
                    WHEN p.paid_at <> of_site THEN 'other-site'
                    WHEN p.crawler_id <> w.crawler_id THEN 'other-crawler'
                    WHEN p.place > (SELECT min(o.place) FROM asked o WHERE o.payment_id = p.payment_id)
                    THEN 'twice'
                    WHEN d.dispute_id IS NOT NULL THEN 'disputed'
                    WHEN EXISTS (SELECT FROM unproven u WHERE u.payment_id = p.payment_id) THEN 'unproven'
                    WHEN p.amount_micros = 0 THEN 'free'
                    WHEN t.taken_micros >= p.amount_micros OR v.number IS NOT NULL THEN 'taken-back'
                    WHEN at > greatest(uuid_instant(p.payment_id), i.made_at) + w.days * interval '1 day'
                    THEN 'late' ELSE '' END AS cause,
               CASE WHEN d.dispute_id IS NOT NULL THEN d.dispute_id::text
                    WHEN p.paid_at <> of_site THEN (SELECT s.name FROM site s WHERE s.site_id = p.paid_at)
                    WHEN v.number IS NOT NULL THEN v.number
                    ELSE w.days::text END AS detail
          FROM payment p CROSS JOIN period w
          LEFT JOIN invoice i ON i.site_id = p.paid_at AND i.number = p.stands_on
          LEFT JOIN LATERAL (SELECT e.number FROM invoice_event e
                              WHERE e.site_id = i.site_id AND e.number = i.number AND e.event = 'void'
                              LIMIT 1) AS v ON true
         CROSS JOIN LATERAL (SELECT sum(a.amount_micros) AS taken_micros FROM adjustment a
                              WHERE a.payment_id = p.payment_id) AS t
          LEFT JOIN LATERAL (
              SELECT s.dispute_id FROM dispute_subject s WHERE s.payment_id = p.payment_id
              UNION ALL
              SELECT s.dispute_id FROM dispute_subject s
                JOIN invoice_line l ON l.site_id = s.site_id AND l.number = s.number AND l.line = s.line
               WHERE s.site_id = of_site AND s.number = p.stands_on AND l.description = p.rule
                 AND l.unit_price_micros = p.amount_micros
              ORDER BY 1 LIMIT 1) AS d ON true
        UNION ALL
        SELECT l.place, l.crawler_id, l.amount_micros,
               CASE WHEN l.document IS NULL OR of_crawler <> 0 AND l.crawler_id <> of_crawler
                    THEN 'unknown-invoice'
                    WHEN l.document = 'credit-note' THEN 'credit-note'
                    WHEN l.kind IS NULL THEN 'unknown-line'
                    WHEN l.crawler_id <> w.crawler_id THEN 'other-crawler'
                    WHEN l.kind <> 'crawls' THEN 'no-crawls'
                    WHEN l.place > (SELECT min(o.place) FROM asked o
                                     WHERE o.number = l.number AND o.line = l.line) THEN 'twice'
                    WHEN d.dispute_id IS NOT NULL THEN 'disputed'
                    WHEN l.amount_micros = 0 THEN 'free'
                    WHEN EXISTS (SELECT FROM invoice_event e WHERE e.site_id = of_site
                                    AND e.number = l.number AND e.event = 'void') THEN 'taken-back'
                    WHEN l.quantity > 10000 THEN 'large'
                    WHEN at > l.made_at + w.days * interval '1 day' THEN 'late'
                    ELSE '' END,
               CASE WHEN d.dispute_id IS NOT NULL THEN d.dispute_id::text
                    WHEN l.quantity > 10000 THEN l.quantity::text
                    WHEN l.kind <> 'crawls' THEN l.kind
                    ELSE w.days::text END
          FROM line l CROSS JOIN period w
          LEFT JOIN LATERAL (
              SELECT s.dispute_id FROM dispute_subject s
               WHERE s.site_id = of_site AND s.number = l.number AND s.line = l.line
              UNION ALL
              -- What was decided of one of its crawls cannot be asked again by its line.
              SELECT s.dispute_id FROM dispute o JOIN dispute_subject s USING (dispute_id)
               CROSS JOIN LATERAL charge_of(s.payment_id) c
               WHERE o.site_id = of_site AND o.crawler_id = l.crawler_id AND c.rule = l.description
                 AND c.amount_micros = l.unit_price_micros
                 AND billing_invoice(of_site, o.crawler_id, s.payment_id, 9223372036854775807) = l.number
              ORDER BY 1 LIMIT 1) AS d ON true
    )
    -- What another pays is as unknown as that he does, and so is what became of it.
    SELECT j.place, j.crawler_id, CASE WHEN u.unknown THEN 0 ELSE coalesce(j.amount_micros, 0) END, j.cause,
           CASE WHEN u.unknown THEN '' ELSE coalesce(j.detail, '') END
      FROM judged j CROSS JOIN LATERAL (SELECT j.cause IN ('unknown', 'unknown-invoice')) AS u (unknown)
$$;
COMMENT ON FUNCTION dispute_subjects IS 'Whether payments, or lines of invoices where the payment is NULL, can
be disputed by a crawler, or by the site''s operator (crawler 0): the cause why not, "" if they can, and what
it names: another dispute, site, invoice, or the days of the window. A crawler is not told of others''
payments: they are unknown.';

CREATE OR REPLACE FUNCTION disputed_amount(of_site bigint, of_number text) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(s.amount_micros - coalesce(u.upheld_micros, 0)), 0)::bigint
      FROM invoice i
      JOIN dispute d ON d.site_id = i.site_id AND d.crawler_id = i.crawler_id
      JOIN dispute_subject s USING (dispute_id)
     CROSS JOIN LATERAL (
          SELECT sum(f.amount_micros) AS upheld_micros
            FROM dispute_finding f CROSS JOIN LATERAL charge_of(f.payment_id) c
            JOIN invoice_line l ON l.description = c.rule AND l.unit_price_micros = c.amount_micros
           WHERE f.dispute_id = s.dispute_id AND l.site_id = s.site_id AND l.number = s.number
             AND l.line = s.line) AS u
     WHERE i.site_id = of_site AND i.number = of_number AND i.kind = 'invoice'
       AND NOT EXISTS (SELECT FROM dispute_event e WHERE e.dispute_id = d.dispute_id
                          AND e.event IN ('upheld', 'part_upheld', 'rejected'))
       AND coalesce(s.number, billing_invoice(i.site_id, i.crawler_id, s.payment_id, 9223372036854775807))
           = of_number
       AND NOT EXISTS (SELECT FROM dispute_finding f
                        WHERE f.dispute_id = s.dispute_id AND f.payment_id = s.payment_id)
$$;
COMMENT ON FUNCTION disputed_amount IS 'How much of what an invoice bills is in open disputes, by the prices
of crawls and the amounts of lines; without what was upheld of them already.';

CREATE OR REPLACE FUNCTION interim_tiles(of_site bigint, from_id uuid, to_id uuid)
    RETURNS TABLE (tile bigint, entries bytea, sum_micros bigint)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
    SELECT l.tile,
           string_agg(uuid_send(l.payment_id)
                      || substr(sha256(convert_to(jsonb_strip_nulls(l.line)::text, 'UTF8')), 1, 8),
                      ''::bytea ORDER BY l.payment_id),
           sum(l.amount_micros)::bigint
      FROM (SELECT c.payment_id, c.amount_micros, to_jsonb(c) AS line,
                   (row_number() OVER (ORDER BY c.payment_id) - 1) / 256 AS tile
              FROM charge_range(from_id, to_id) c
             WHERE c.site_id = of_site) AS l
     GROUP BY l.tile
$$;
COMMENT ON FUNCTION interim_tiles IS 'Rows of interim_tile as the entries of a site make them, whose ids are
from from_id to before to_id, and what each comes to.';

CREATE OR REPLACE FUNCTION seal_wait(parts regclass[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    part regclass;
BEGIN
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION seal_wait IS 'Waits for the statements that write into partitions of charge, and keeps
others out until the transaction ends.';

CREATE OR REPLACE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint, made_ms bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    sealed day;
    newest uuid;
    parts regclass[];
    part regclass;
BEGIN
    SELECT * INTO sealed FROM day WHERE site_id = of_site AND local_date = of_date;
    IF NOT FOUND OR instant(due_ms) < sealed.ends_at THEN
        RAISE EXCEPTION 'day % of site number % is not there, or not over', of_date, of_site
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM FROM day d WHERE site_id = of_site AND local_date < of_date
        AND NOT EXISTS (SELECT FROM day_close c
                         WHERE c.site_id = of_site AND c.local_date = d.local_date);
    IF FOUND THEN
        RAISE EXCEPTION 'an earlier day of site number % is open', of_site
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    LOCK TABLE ONLY charge IN SHARE UPDATE EXCLUSIVE MODE; -- as guard_seals does
    SELECT end_id INTO newest FROM day_seal ORDER BY end_id DESC LIMIT 1;
    -- The day's partitions, and those between the newest seal and this one, whose triggers must know it.
    SELECT array_agg(inhrelid::regclass ORDER BY relname) INTO parts
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'charge'::regclass
       AND relname <= charge_partition((sealed.ends_at AT TIME ZONE 'UTC' - interval '1 microsecond')::date)
       AND (newest IS NULL OR relname >= charge_partition(
                (least(sealed.starts_at, uuid_instant(newest)) AT TIME ZONE 'UTC')::date));
    -- A statement that checked its entries before this seal was there may not have committed yet. It holds a
    -- lock on the partitions it writes to, so these wait for it; who comes later sees the seal. Longer than
    -- deadlock_timeout, after which a vacuum in the way gives up.
    PERFORM seal_wait(parts);
    -- What was not delivered is taken back by the close: from here on it is known what that is.
    LOCK TABLE undelivered IN SHARE ROW EXCLUSIVE MODE;
    -- The parent alone, as every batch of deliveries names it: those under way come to their end.
    LOCK TABLE ONLY delivery IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO day_seal (site_id, local_date, end_id, due_at, made_at)
    VALUES (of_site, of_date, uuid_floor(sealed.ends_at), instant(due_ms), instant(made_ms))
    ON CONFLICT DO NOTHING;
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM guard_seals(part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION seal_day IS 'Seals a day, in order, in a transaction that is committed at once: what it
locks keeps the gates waiting. With the owner''s rights, since the operator''s role may not lock.';

CREATE OR REPLACE FUNCTION shard_guards() RETURNS TABLE (subject text, problem text)
    LANGUAGE sql STABLE AS $$
    SELECT NULL::text, NULL::text WHERE false
$$;
COMMENT ON FUNCTION shard_guards IS 'Where entries are on other servers (crawltab migrate --citus), what is
not guarded there as it is here. Nothing, where they are in this database.';
