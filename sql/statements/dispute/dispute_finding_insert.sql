-- Crawl $2 of dispute $1 at site $3 is upheld by rule $4, over $5 by adjustment $6 (NULL: nothing was left),
-- at clock $7, by $8.
INSERT INTO dispute_finding (dispute_id, payment_id, site_id, rule, amount_micros, adjustment_id, found_at,
                             actor)
VALUES ($1::uuid, $2::uuid, $3::bigint, $4::text, $5::bigint, $6::uuid, instant($7::bigint), $8::text)
