-- Only after site_read found none: an insert that conflicts would burn a number of the identity.
INSERT INTO site (name, currency, currency_decimals, time_zone, network, seller, registered_at)
VALUES ($1::text, $2::text, $3::smallint, $4::text, $5::text, $6::text, instant($7::bigint))
ON CONFLICT DO NOTHING
