-- Seals day $2 of site $1, which became due at $3, at clock $4.
SELECT seal_day($1::bigint, $2::date, $3::bigint, $4::bigint)
