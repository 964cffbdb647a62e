-- Page of payment $1 was answered with status $2, and $3 bytes of $4 (-1: not known) were sent, as $5 tells;
-- batch $7 of writer $6. Amount $8 is billed all the same (0: nothing).
-- columns: outcome text
SELECT note_undelivered($1::uuid, $2::integer, $3::bigint, nullif($4::bigint, -1), $5::text, $6::uuid,
                        $7::bigint, nullif($8::bigint, 0)) AS outcome
