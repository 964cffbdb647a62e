INSERT INTO number_series (site_id, series) VALUES ($1::bigint, $2::text) ON CONFLICT DO NOTHING
