-- What a closed day's proof says about day $2 of site $1, and the range of its ids.
SELECT s.name, s.network, s.currency, d.time_zone, instant_ms(d.starts_at), instant_ms(d.ends_at),
       uuid_floor(d.starts_at), uuid_floor(d.ends_at)
  FROM day d JOIN site s USING (site_id)
 WHERE d.site_id = $1::bigint AND d.local_date = $2::date
