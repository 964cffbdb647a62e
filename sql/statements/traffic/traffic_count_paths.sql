-- What was counted by path in a batch, $1: once, however often it is sent. Before traffic_insert, in the same
-- transaction.
SELECT count_paths($1::uuid, $2::text[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[],
                   $8::text[], $9::bigint[], $10::bigint[], $11::bigint[])
