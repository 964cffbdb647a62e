-- The other side of the evidence, as far as it is kept. The same attempt again adds nothing.
SELECT note_conflicts($1::bigint, $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[],
                      $7::text[], $8::bytea[], $9::bytea[], $10::bytea[], $11::bigint[])
