-- One invoice for each crawler of which something is invoiced on day $2 of site $1, numbered $4, $4 + 1, ...
-- in series $3 in the order of the accounts; $5, $6 and $7 are what stands before a number, its least digits
-- and what stands behind. $8 is the clock: the invoices are issued now, and payment is due from then on.
-- $9 is the seller's party, or NULL for the name that the site was registered with.
-- An invoice's days are those since the last one, and at least the period of the cadence.
WITH numbered AS (
    SELECT t.*, $4::bigint - 1 + row_number() OVER (ORDER BY t.crawler_id) AS sequence,
           coalesce(last.close_number, 0) AS last_close, last.local_date AS last_date
      FROM crawler_day t
      LEFT JOIN LATERAL (
          SELECT b.close_number, b.local_date FROM crawler_day b
           WHERE b.site_id = t.site_id AND b.crawler_id = t.crawler_id AND b.invoiced_micros > 0
             AND b.close_number < t.close_number ORDER BY b.close_number DESC LIMIT 1) AS last ON true
     WHERE t.site_id = $1::bigint AND t.local_date = $2::date AND t.invoiced_micros > 0
), period AS (
    SELECT n.*, p.first_date AS first_row, p.entries AS period_entries, p.subtotal_micros
      FROM numbered n
      CROSS JOIN LATERAL (
          SELECT min(t.local_date) AS first_date,
                 sum(t.entries)::bigint AS entries,
                 sum(t.sum_micros + t.terms_micros + t.adjusted_micros + coalesce((
                     SELECT -sum(l.amount_micros) FROM crawler_day_line l
                      WHERE l.site_id = t.site_id AND l.local_date = t.local_date
                        AND l.crawler_id = t.crawler_id AND l.corrects IS NOT NULL), 0))::bigint
                     AS subtotal_micros
            FROM crawler_day t
           WHERE t.site_id = n.site_id AND t.crawler_id = n.crawler_id
             AND t.close_number > n.last_close AND t.close_number <= n.close_number) AS p
)
INSERT INTO invoice (site_id, number, series, sequence, kind, crawler_id, local_date, first_date, made_at,
                     issue_date, due_date,
                     site_name, seller_party, buyer_party, settlement, agreement_id, terms, agent, network,
                     currency, currency_decimals, time_zone, starts_at, ends_at, entries, carried_in_micros,
                     subtotal_micros, carried_out_micros, net_micros, tax_treatment, tax_rate_ppm, tax_minor,
                     tax_note, total_minor, rounding)
SELECT p.site_id, $5::text || lpad(p.sequence::text, greatest($6::integer, length(p.sequence::text)), '0')
           || $7::text,
       $3::text, p.sequence, 'invoice', p.crawler_id, p.local_date, f.local_date,
       made.at, made.on_date, made.on_date + coalesce(a.due_days, g.due_days, 30), s.name,
       coalesce($9::jsonb, jsonb_build_object('name', s.seller)),
       jsonb_build_object('name', c.agent) || coalesce(a.buyer, '{}'), coalesce(a.settlement, '{}'),
       a.agreement_id,
       CASE WHEN a.agreement_id IS NULL THEN billing_defaults_text(p.site_id, p.local_date)
            ELSE agreement_text(a.agreement_id) END, c.agent, s.network, s.currency, s.currency_decimals,
       d.time_zone, f.starts_at, d.ends_at, p.period_entries,
       p.invoiced_micros + p.carried_out_micros - p.subtotal_micros, p.subtotal_micros, p.carried_out_micros,
       p.invoiced_micros, u.treatment, u.rate_ppm, m.tax, tax_note(u.treatment), m.net + m.tax,
       'The net amount is rounded down once and the remainder carried to the next invoice;'
           || ' tax is of the rounded net amount, rounded half up.'
  FROM period p
  JOIN site s USING (site_id) JOIN crawler c USING (crawler_id) JOIN day d USING (site_id, local_date)
  LEFT JOIN agreement a ON a.agreement_id = p.agreement_id
  LEFT JOIN billing_defaults(p.site_id, p.local_date) g ON p.agreement_id IS NULL
  CROSS JOIN LATERAL (
      SELECT coalesce(a.tax_treatment, g.tax_treatment, 'none') AS treatment,
             coalesce(a.tax_rate_ppm, g.tax_rate_ppm, 0) AS rate_ppm) AS u
  CROSS JOIN LATERAL (
      SELECT instant($8::bigint) AS at,
             (instant($8::bigint) AT TIME ZONE d.time_zone)::date AS on_date) AS made
  CROSS JOIN LATERAL (
      SELECT b.local_date, b.starts_at FROM day b
       WHERE b.site_id = p.site_id AND b.local_date > coalesce(p.last_date, '-infinity')
         AND b.local_date >= least(p.first_row, CASE coalesce(a.cadence, g.cadence)
             WHEN 'weekly' THEN date_trunc('week', p.local_date)::date
             WHEN 'monthly' THEN date_trunc('month', p.local_date)::date ELSE p.first_row END)
       ORDER BY b.local_date LIMIT 1) AS f
  CROSS JOIN LATERAL (
      SELECT n.net, tax_of(n.net, u.rate_ppm) AS tax
        FROM (SELECT p.invoiced_micros / minor_micros(s.currency_decimals) AS net) AS n) AS m
