-- What invoices show of open disputes, and disputes as documents. Of others' payments a crawler is not told
-- which site they were made at, or that they are disputed.

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
          FROM asked a LEFT JOIN charge c ON c.payment_id = a.payment_id WHERE a.payment_id IS NOT NULL
    ), line AS (
        SELECT a.*, i.crawler_id, i.kind AS document, i.made_at, l.kind, l.amount_micros, l.quantity
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
          LEFT JOIN LATERAL (SELECT s.dispute_id FROM dispute_subject s
                              WHERE s.site_id = of_site AND s.number = l.number AND s.line = l.line
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

CREATE FUNCTION disputed_amount(of_site bigint, of_number text) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(s.amount_micros - coalesce(u.upheld_micros, 0)), 0)::bigint
      FROM invoice i
      JOIN dispute d ON d.site_id = i.site_id AND d.crawler_id = i.crawler_id
      JOIN dispute_subject s USING (dispute_id)
     CROSS JOIN LATERAL (
          SELECT sum(f.amount_micros) AS upheld_micros
            FROM dispute_finding f JOIN charge c USING (payment_id)
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

CREATE FUNCTION dispute_document(of_dispute uuid) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT jsonb_build_object(
        'dispute_id', d.dispute_id, 'site', s.name, 'agent', k.agent, 'opened_by', d.opened_by,
        'reason', d.reason, 'statement', d.statement, 'evidence', d.evidence_name,
        'opened_at', instant_text(d.opened_at), 'due_at', instant_text(d.due_at), 'currency', s.currency,
        'status', t.status, 'open', t.open, 'claimed_micros', t.claimed_micros,
        'upheld_micros', t.upheld_micros,
        'subjects', (
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'payment_id', u.payment_id, 'invoice', coalesce(u.number, billing_invoice(
                           d.site_id, d.crawler_id, u.payment_id, 9223372036854775807)),
                       'line', u.line, 'amount_micros', u.amount_micros)) ORDER BY u.position)
              FROM dispute_subject u WHERE u.dispute_id = d.dispute_id),
        'findings', coalesce((
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'payment_id', f.payment_id, 'rule', f.rule, 'amount_micros', f.amount_micros,
                       'adjustment_id', f.adjustment_id, 'stands_on', n.number)) ORDER BY f.payment_id)
              FROM (SELECT * FROM dispute_finding w WHERE w.dispute_id = d.dispute_id
                     ORDER BY w.payment_id LIMIT 1000) AS f
              LEFT JOIN LATERAL (
                   SELECT i.number FROM crawler_day_line l JOIN invoice i ON i.site_id = l.site_id
                      AND i.crawler_id = l.crawler_id AND i.corrects IS NOT DISTINCT FROM l.corrects
                      AND (i.local_date = l.local_date OR l.corrects IS NULL AND i.local_date > l.local_date)
                      AND i.replaces IS NULL
                    WHERE l.adjustment_id = f.adjustment_id ORDER BY i.local_date LIMIT 1) AS n ON true),
            '[]'),
        'events', (
            SELECT jsonb_agg(jsonb_build_object('event', e.event, 'at', instant_text(e.happened_at),
                                                'actor', e.actor, 'detail', e.detail) ORDER BY e.step)
              FROM dispute_event e WHERE e.dispute_id = d.dispute_id))
      FROM dispute d JOIN dispute_state t USING (dispute_id) JOIN site s ON s.site_id = d.site_id
      JOIN crawler k ON k.crawler_id = d.crawler_id
     WHERE d.dispute_id = of_dispute
$$;
COMMENT ON FUNCTION dispute_document IS 'A dispute as programs and webhooks get it, with its subjects, at most
a thousand of its findings, and its events. stands_on: the credit note or invoice that gives it back.';
