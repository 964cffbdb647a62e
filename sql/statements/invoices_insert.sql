-- One invoice per crawler with at least one minor unit due, numbered $5, $5 + 1, ... in series $4 in the
-- order of the accounts. Seller $3 is the configuration's, or NULL for the one that the site was
-- registered with.
INSERT INTO invoice (site_id, number, series, sequence, crawler_id, local_date, site_name, seller, agent,
                     network, currency, currency_decimals, time_zone, starts_at, ends_at, entries,
                     carried_in_micros, subtotal_micros, carried_out_micros, total_micros, total_minor,
                     rounding)
SELECT n.site_id, $4::text || '-' || lpad(n.sequence::text, greatest(6, length(n.sequence::text)), '0'),
       $4::text, n.sequence, n.crawler_id, n.local_date, s.name, coalesce($3::text, s.seller), c.agent,
       s.network, s.currency, s.currency_decimals, d.time_zone, d.starts_at, d.ends_at, n.entries,
       n.carried_in_micros, n.sum_micros, n.carried_out_micros, n.invoiced_micros,
       n.invoiced_micros / minor_micros(s.currency_decimals),
       'The total is rounded down once; the remainder is carried to the next invoice.'
  FROM (SELECT t.*, $5::bigint - 1 + row_number() OVER (ORDER BY crawler_id) AS sequence
          FROM crawler_day t
         WHERE site_id = $1::bigint AND local_date = $2::date AND invoiced_micros > 0) AS n
  JOIN site s USING (site_id) JOIN crawler c USING (crawler_id) JOIN day d USING (site_id, local_date)
