-- Fails when another run has the invoice in a batch already: then this batch is given up.
INSERT INTO settlement (site_id, number, rail, attempt, batch_id, amount_minor)
VALUES ($1::bigint, $2::text, $3::text, $4::integer, $5::uuid, $6::bigint)
