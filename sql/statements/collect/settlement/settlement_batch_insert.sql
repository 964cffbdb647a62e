INSERT INTO settlement_batch (batch_id, site_id, rail, currency, invoices, total_minor, made_at, collect_on,
                              actor, content, digest, file_of_day)
VALUES ($1::uuid, $2::bigint, $3::text, $4::text, $5::bigint, $6::bigint, instant($7::bigint), $8::date,
        $9::text, $10::bytea, sha256($10::bytea), $11::integer)
