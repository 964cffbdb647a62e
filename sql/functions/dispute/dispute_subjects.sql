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
