-- Day $2 of site $1 has $3 deliveries in $4 tiles, of which $5 is the tree's root.
INSERT INTO day_delivery (site_id, local_date, deliveries, tiles, root)
VALUES ($1::bigint, $2::date, $3::bigint, $4::bigint, $5::bytea)
