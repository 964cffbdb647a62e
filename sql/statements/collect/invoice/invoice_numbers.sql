-- Every invoice of site $1: what a payer may name.
-- columns: number text
SELECT number FROM invoice WHERE site_id = $1::bigint
