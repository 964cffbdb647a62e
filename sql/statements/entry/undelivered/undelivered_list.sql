-- What was not delivered, or is billed at a final amount, of site $1 (NULL: all), of payments from local date
-- $2 to $3 (NULL: no limit), and what of it was taken back.
-- columns: site text, payment_id uuid, resource text null, agent text null, amount_micros bigint null,
--   currency text, status integer, sent_bytes bigint, length_bytes bigint null, told_by text,
--   local_date date null, reversed_micros bigint null, final_micros bigint null
SELECT s.name AS site, u.payment_id, c.resource, k.agent, c.amount_micros, s.currency, u.status, u.sent_bytes,
       u.length_bytes, u.told_by, d.local_date,
       (SELECT sum(a.amount_micros)::bigint FROM adjustment a WHERE a.payment_id = u.payment_id)
           AS reversed_micros, u.final_micros
  FROM undelivered u
  JOIN site s USING (site_id)
  LEFT JOIN LATERAL charge_of(u.payment_id) c ON true
  LEFT JOIN crawler k USING (crawler_id)
  LEFT JOIN day d ON d.site_id = u.site_id AND d.starts_at <= uuid_instant(u.payment_id)
                 AND d.ends_at > uuid_instant(u.payment_id)
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($2::date IS NULL OR d.local_date >= $2::date)
   AND ($3::date IS NULL OR d.local_date <= $3::date)
 ORDER BY u.payment_id
