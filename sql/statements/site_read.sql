SELECT site_id, currency, time_zone, network FROM site WHERE name = $1::text
