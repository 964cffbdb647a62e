-- The longest log of site $1 that the witness with key $2 has cosigned; 0: none.
-- columns: log_size bigint
SELECT coalesce(max(log_size), 0) AS log_size FROM cosignature
 WHERE site_id = $1::bigint AND witness = $2::text
