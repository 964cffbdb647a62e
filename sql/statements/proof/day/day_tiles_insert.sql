INSERT INTO day_tile (site_id, local_date, tile, first_id, entries, hash)
SELECT $1::bigint, $2::date, t.tile, t.first_id, t.entries, t.hash
  FROM unnest($3::bigint[], $4::uuid[], $5::bigint[], $6::bytea[]) AS t (tile, first_id, entries, hash)
