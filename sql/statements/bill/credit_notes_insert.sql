-- One credit note for each invoice that is corrected on day $2 of site $1, numbered as in invoices_insert,
-- at clock $8.
-- Its parties, tax rate and texts are the invoice's; its tax is what the invoice's becomes less by.
WITH numbered AS (
    SELECT w.*, $4::bigint - 1 + row_number() OVER (ORDER BY w.crawler_id, w.corrects COLLATE "C") AS sequence
      FROM billing_credits($1::bigint, $2::date) w
)
INSERT INTO invoice (site_id, number, series, sequence, kind, corrects, crawler_id, local_date, first_date,
                     made_at, issue_date, site_name, seller_party, buyer_party, settlement, agreement_id,
                     terms, agent, network, currency, currency_decimals, time_zone, starts_at, ends_at,
                     entries, carried_in_micros, subtotal_micros, carried_out_micros, net_micros,
                     tax_treatment, tax_rate_ppm, tax_minor, tax_note, total_minor, rounding)
SELECT i.site_id, $5::text || lpad(w.sequence::text, greatest($6::integer, length(w.sequence::text)), '0')
           || $7::text,
       $3::text, w.sequence, 'credit-note', i.number, i.crawler_id, d.local_date, d.local_date,
       instant($8::bigint), (instant($8::bigint) AT TIME ZONE d.time_zone)::date, i.site_name,
       i.seller_party, i.buyer_party, i.settlement, i.agreement_id, i.terms, i.agent, i.network, i.currency,
       i.currency_decimals, d.time_zone, d.starts_at, d.ends_at, 0, 0, w.subtotal_micros,
       w.subtotal_micros - w.net_micros, w.net_micros, i.tax_treatment, i.tax_rate_ppm, m.tax, i.tax_note,
       m.net + m.tax,
       'The net amount is rounded down once and the remainder credited on the next invoice;'
           || ' tax is what the tax of the corrected invoice becomes less by.'
  FROM numbered w JOIN invoice i ON i.site_id = $1::bigint AND i.number = w.corrects
  JOIN day d ON d.site_id = i.site_id AND d.local_date = $2::date
  CROSS JOIN LATERAL (
      SELECT n.net, tax_of(w.left_minor, i.tax_rate_ppm) - tax_of(w.left_minor - n.net, i.tax_rate_ppm) AS tax
        FROM (SELECT w.net_micros / minor_micros(i.currency_decimals) AS net) AS n) AS m
