-- A charge, what was taken back of it, the invoice that it stands on, what was taken back of that since (what
-- was before is a line of it), whether that is void, and what the terms take off the charge, as in
-- billing_discounts. While its day is open, the terms are those of clock $2.
-- columns: site_id bigint, crawler_id bigint, amount_micros bigint, adjusted_micros bigint,
--   currency text, invoice text null, subtotal_micros bigint, invoice_adjusted_micros bigint,
--   voided boolean, discount_micros bigint, unproven boolean
WITH subject AS (
    SELECT c.payment_id, c.site_id, c.crawler_id, c.amount_micros, s.currency, billing_invoice(
               c.site_id, c.crawler_id, c.payment_id, 9223372036854775807) AS number
      FROM charge_of($1::uuid) c JOIN site s USING (site_id)
), terms AS (
    SELECT c.payment_id, c.site_id, c.crawler_id, a.agreement_id, a.subscription, a.included_crawls,
           d.starts_at, d.ends_at, t.local_date AS closed_date, t.period_crawls_before,
           CASE a.cadence WHEN 'weekly' THEN date_trunc('week', d.local_date)::date
                WHEN 'monthly' THEN date_trunc('month', d.local_date)::date
                ELSE d.local_date END AS first_date
      FROM subject c
      JOIN day d ON d.site_id = c.site_id AND d.starts_at <= uuid_instant(c.payment_id)
       AND d.ends_at > uuid_instant(c.payment_id)
      LEFT JOIN crawler_day t ON t.site_id = d.site_id AND t.local_date = d.local_date
       AND t.crawler_id = c.crawler_id
      JOIN agreement a ON a.agreement_id = CASE WHEN t.crawler_id IS NOT NULL THEN t.agreement_id ELSE (
               SELECT v.agreement_id FROM agreement v
                WHERE v.site_id = c.site_id AND v.crawler_id = c.crawler_id
                  AND v.valid_from < d.ends_at AND v.valid_from <= instant($2::bigint)
                ORDER BY v.version DESC LIMIT 1) END
), period AS (
    -- From where its crawls are counted, and how many there were before that. An open day's are those of the
    -- days that are closed.
    SELECT x.*, CASE WHEN x.period_crawls_before IS NOT NULL THEN x.starts_at ELSE (
               SELECT min(o.starts_at) FROM day o
                WHERE o.site_id = x.site_id AND o.local_date >= x.first_date
                  AND NOT EXISTS (SELECT FROM day_close e WHERE e.site_id = o.site_id
                                     AND e.local_date = o.local_date)) END AS from_at,
           coalesce(x.period_crawls_before, (
               SELECT CASE WHEN p.period_end OR p.local_date < x.first_date THEN 0
                           ELSE p.period_crawls_before
                                + paid_crawls(x.site_id, p.local_date, x.crawler_id) END
                 FROM crawler_day p WHERE p.site_id = x.site_id AND p.crawler_id = x.crawler_id
                ORDER BY p.close_number DESC LIMIT 1), 0) AS before
      FROM terms x
), counted AS (
    -- From the end of the day, if the UTC day in which it begins is archived: it is closed then.
    SELECT p.*, p.before - p.included_crawls + CASE WHEN EXISTS (
               SELECT FROM archived w WHERE w.utc_date >= (p.from_at AT TIME ZONE 'UTC')::date
                  AND w.utc_date < (uuid_instant(p.payment_id) AT TIME ZONE 'UTC')::date)
           THEN paid_crawls(p.site_id, p.closed_date, p.crawler_id) - (
               SELECT count(*) FROM paid_ids(p.site_id, p.crawler_id, p.payment_id, uuid_floor(p.ends_at)) n
                WHERE n > p.payment_id)
           ELSE (
               SELECT count(*) FROM paid_ids(p.site_id, p.crawler_id, uuid_floor(p.from_at),
                                             uuid_floor(p.ends_at)) n
                WHERE n <= p.payment_id) END AS nth
      FROM period p
)
SELECT c.site_id, c.crawler_id, c.amount_micros,
       coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a WHERE a.payment_id = c.payment_id), 0)
           AS adjusted_micros,
       c.currency, c.number AS invoice, i.subtotal_micros,
       coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                  WHERE a.site_id = c.site_id AND a.crawler_id = c.crawler_id AND a.kind <> 'reissue'
                    AND coalesce(a.number, billing_invoice(a.site_id, a.crawler_id, a.payment_id,
                                                           9223372036854775807)) = c.number
                    AND NOT EXISTS (SELECT FROM invoice_line l
                                     WHERE l.site_id = i.site_id AND l.number = i.number
                                       AND l.adjustment_id = a.adjustment_id)), 0)
           AS invoice_adjusted_micros,
       EXISTS (SELECT FROM invoice_event e
                WHERE e.site_id = c.site_id AND e.number = c.number AND e.event = 'void')
           AS voided,
       coalesce((SELECT share_of(c.amount_micros, CASE WHEN n.subscription OR n.nth <= 0 THEN 1000000 ELSE (
                            SELECT r.discount_ppm FROM agreement_tier r
                             WHERE r.agreement_id = n.agreement_id AND r.from_crawl <= n.nth
                             ORDER BY r.from_crawl DESC LIMIT 1) END)
                   FROM counted n), 0) AS discount_micros,
       EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id) AS unproven
  FROM subject c LEFT JOIN invoice i USING (site_id, number)
