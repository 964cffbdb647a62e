INSERT INTO day_close (site_id, local_date, close_number, entries, sum_micros, due_at, made_at, unproven)
VALUES ($1::bigint, $2::date, $3::bigint, $4::bigint, $5::bigint, instant($6::bigint),
        instant($7::bigint), $8::bigint)
