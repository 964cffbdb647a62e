-- One invoice for each that was made void and is billed again on day $2 of site $1, numbered as in
-- invoices_insert, at clock $8, with the seller's party $9. Crawls, period and amounts are those of the void
-- one, less what credit notes had taken back of it; buyer, tax, terms and settlement are of the agreement in
-- force at the day's end.
WITH numbered AS (
    SELECT r.*, $4::bigint - 1 + row_number() OVER (ORDER BY r.crawler_id, r.replaces COLLATE "C") AS sequence
      FROM billing_reissues($1::bigint, $2::date) r
)
INSERT INTO invoice (site_id, number, series, sequence, kind, replaces, crawls_date, crawler_id, local_date,
                     first_date, made_at, issue_date, due_date, site_name, seller_party, buyer_party,
                     settlement, agreement_id, terms, agent, network, currency, currency_decimals,
                     time_zone, starts_at, ends_at, entries, carried_in_micros, subtotal_micros,
                     carried_out_micros, net_micros, tax_treatment, tax_rate_ppm,
                     tax_minor, tax_note, total_minor, rounding)
SELECT o.site_id, $5::text || lpad(n.sequence::text, greatest($6::integer, length(n.sequence::text)), '0')
           || $7::text,
       $3::text, n.sequence, 'invoice', o.number, coalesce(o.crawls_date, o.local_date), o.crawler_id,
       t.local_date, o.first_date, made.at, made.on_date, made.on_date + coalesce(a.due_days, g.due_days, 30),
       o.site_name, coalesce($9::jsonb, o.seller_party),
       jsonb_build_object('name', o.agent) || coalesce(a.buyer, '{}'), coalesce(a.settlement, '{}'),
       a.agreement_id, CASE WHEN a.agreement_id IS NULL THEN billing_defaults_text(o.site_id, t.local_date)
                            ELSE agreement_text(a.agreement_id) END,
       o.agent, o.network, o.currency, o.currency_decimals, o.time_zone, o.starts_at, o.ends_at, o.entries,
       o.carried_in_micros, o.subtotal_micros - n.taken_micros,
       o.carried_in_micros + o.subtotal_micros - n.taken_micros - n.net_micros, n.net_micros,
       u.treatment, u.rate_ppm, m.tax, tax_note(u.treatment), m.net + m.tax, o.rounding
  FROM numbered n JOIN invoice o ON o.site_id = $1::bigint AND o.number = n.replaces
  JOIN crawler_day t ON t.site_id = o.site_id AND t.local_date = $2::date AND t.crawler_id = n.crawler_id
  JOIN day d ON d.site_id = o.site_id AND d.local_date = t.local_date
  LEFT JOIN agreement a ON a.agreement_id = t.agreement_id
  LEFT JOIN billing_defaults(t.site_id, t.local_date) g ON t.agreement_id IS NULL
 CROSS JOIN LATERAL (
      SELECT coalesce(a.tax_treatment, g.tax_treatment, 'none') AS treatment,
             coalesce(a.tax_rate_ppm, g.tax_rate_ppm, 0) AS rate_ppm) AS u
 CROSS JOIN LATERAL (
      SELECT instant($8::bigint) AS at,
             (instant($8::bigint) AT TIME ZONE d.time_zone)::date AS on_date) AS made
 CROSS JOIN LATERAL (
      SELECT w.net, tax_of(w.net, u.rate_ppm) AS tax
        FROM (SELECT n.net_micros / minor_micros(o.currency_decimals) AS net) AS w) AS m
