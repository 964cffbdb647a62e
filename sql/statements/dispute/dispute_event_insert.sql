-- The next step $2 of dispute $1 at site $3: event $4 at clock $5, by $6, with detail $7.
INSERT INTO dispute_event (dispute_id, step, site_id, event, happened_at, actor, detail)
VALUES ($1::uuid, $2::integer, $3::bigint, $4::text, instant($5::bigint), $6::text, $7::text)
