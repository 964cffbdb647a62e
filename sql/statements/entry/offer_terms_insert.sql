-- What the gate offers at site $1 from now on: under terms $2, for $3 seconds.
INSERT INTO offer_terms (site_id, terms_url, ttl_seconds, first_used_at)
VALUES ($1::bigint, $2::text, $3::integer, instant($4::bigint)) ON CONFLICT DO NOTHING
