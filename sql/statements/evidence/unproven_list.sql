-- What is not proven of site $1 (NULL: all), of payments from local date $2 to $3 (NULL: no limit).
-- columns: site text, payment_id uuid, reason text, amount_micros bigint, currency text, agent text null,
--   resource text null, local_date date null
SELECT s.name AS site, u.payment_id, u.reason, u.amount_micros, s.currency, k.agent, c.resource, d.local_date
  FROM unproven u
  JOIN site s USING (site_id)
  LEFT JOIN LATERAL charge_of(u.payment_id) c ON true
  LEFT JOIN crawler k ON k.crawler_id = u.crawler_id
  LEFT JOIN day d ON d.site_id = u.site_id AND d.starts_at <= uuid_instant(u.payment_id)
                 AND d.ends_at > uuid_instant(u.payment_id)
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($2::date IS NULL OR d.local_date >= $2::date)
   AND ($3::date IS NULL OR d.local_date <= $3::date)
 ORDER BY u.payment_id
