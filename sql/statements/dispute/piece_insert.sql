-- Puts evidence to dispute $1 of site $2 as piece $3: its name $4, media type $5, SHA-256 $6 and content $7,
-- what is said of it $8, at clock $9, by $10.
INSERT INTO dispute_piece (dispute_id, position, site_id, name, media_type, digest, content, note, added_at,
                           actor)
VALUES ($1::uuid, $3::integer, $2::bigint, $4::text, $5::text, $6::bytea, $7::bytea, $8::text,
        instant($9::bigint), $10::text)
