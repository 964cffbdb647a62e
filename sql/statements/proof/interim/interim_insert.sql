INSERT INTO interim (site_id, number, first_id, end_id, entries, sum_micros, digest, made_at, note,
                     verifier_key, facts, facts_digest)
VALUES ($1::bigint, $2::bigint, $3::uuid, $4::uuid, $5::bigint, $6::bigint, $7::bytea, instant($8::bigint),
        $9::text, $10::text, $11::bigint, $12::bytea)
