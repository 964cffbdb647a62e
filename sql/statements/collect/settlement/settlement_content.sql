-- The file of batch $2 of site $1.
-- columns: rail text, content bytea
SELECT rail, content FROM settlement_batch WHERE site_id = $1::bigint AND batch_id = $2::uuid
