-- The stored tiles of day $2 of site $1, from tile $3 on, a page of them.
-- columns: tile integer, first_id uuid, entries smallint, hash bytea
SELECT tile, first_id, entries, hash FROM day_tile
 WHERE site_id = $1::bigint AND local_date = $2::date AND tile >= $3::integer ORDER BY tile LIMIT 4096
