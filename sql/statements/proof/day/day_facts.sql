-- What a closed day's proof says about day $2 of site $1, and the range of its ids.
-- columns: site text, network text, currency text, time_zone text, starts_ms bigint, ends_ms bigint,
--   first_id uuid, end_id uuid
SELECT s.name AS site, s.network, s.currency, d.time_zone, instant_ms(d.starts_at) AS starts_ms,
       instant_ms(d.ends_at) AS ends_ms, uuid_floor(d.starts_at) AS first_id, uuid_floor(d.ends_at) AS end_id
  FROM day d JOIN site s USING (site_id)
 WHERE d.site_id = $1::bigint AND d.local_date = $2::date
