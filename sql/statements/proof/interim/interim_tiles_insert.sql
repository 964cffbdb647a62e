-- Stores the entries of interim checkpoint $2 of site $1, with ids from $3 to before $4, and says what they
-- come to. Their texts are those of session_plain.
-- columns: entries bigint, sum_micros bigint, digest bytea
WITH entry AS MATERIALIZED (
    SELECT c.payment_id, c.amount_micros,
           substr(sha256(convert_to(jsonb_strip_nulls(to_jsonb(c))::text, 'UTF8')), 1, 8) AS digest,
           (row_number() OVER (ORDER BY c.payment_id) - 1) / 256 AS tile
      FROM charge c
     WHERE c.site_id = $1::bigint AND c.payment_id >= $3::uuid AND c.payment_id < $4::uuid
), made AS (
    INSERT INTO interim_tile (site_id, number, tile, entries)
    SELECT $1::bigint, $2::bigint, e.tile,
           string_agg(uuid_send(e.payment_id) || e.digest, ''::bytea ORDER BY e.payment_id)
      FROM entry e GROUP BY e.tile
    RETURNING tile, entries
)
SELECT (SELECT count(*) FROM entry) AS entries,
       (SELECT coalesce(sum(amount_micros), 0)::bigint FROM entry) AS sum_micros,
       sha256(coalesce((SELECT string_agg(sha256(m.entries), ''::bytea ORDER BY m.tile) FROM made m),
                       ''::bytea)) AS digest
