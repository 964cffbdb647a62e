-- Stores the entries of interim checkpoint $2 of site $1, with ids from $3 to before $4, and says what they
-- come to.
-- columns: entries bigint, sum_micros bigint, digest bytea
WITH listed AS MATERIALIZED (
    SELECT t.tile, t.entries, t.sum_micros FROM interim_tiles($1::bigint, $3::uuid, $4::uuid) t
), made AS (
    INSERT INTO interim_tile (site_id, number, first_id, tile, entries)
    SELECT $1::bigint, $2::bigint, $3::uuid, l.tile, l.entries FROM listed l
)
SELECT coalesce(sum(octet_length(l.entries) / 24), 0)::bigint AS entries,
       coalesce(sum(l.sum_micros), 0)::bigint AS sum_micros,
       sha256(coalesce(string_agg(sha256(l.entries), ''::bytea ORDER BY l.tile), ''::bytea)) AS digest
  FROM listed l
