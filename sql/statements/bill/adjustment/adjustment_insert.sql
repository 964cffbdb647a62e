INSERT INTO adjustment (adjustment_id, site_id, crawler_id, kind, payment_id, number, amount_micros, reason,
                        actor, recorded_at)
VALUES ($1::uuid, $2::bigint, $3::bigint, $4::text, $5::uuid, $6::text, $7::bigint, $8::text, $9::text,
        uuid_instant($1::uuid))
