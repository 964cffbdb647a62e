-- Opens dispute $1 at site $2 for crawler $3 and reason $4, in its words $5, about payments $6 or lines ($7,
-- $8) of invoices; $9 is the request, $10 what was signed of it, $11 the signature, $12 the key's thumbprint.
-- Without an agreement that says so it must be of the last $13 days, and is to be decided in $14.
-- columns: answer jsonb
SELECT open_dispute($1::uuid, $2::bigint, $3::bigint, $4::text, $5::text,
                    ARRAY(SELECT nullif(p, '')::uuid FROM unnest($6::text[]) WITH ORDINALITY AS a (p, n)
                           ORDER BY n),
                    $7::text[], $8::bigint[]::integer[], $9::bytea, $10::bytea, $11::bytea, $12::bytea,
                    $13::integer, $14::integer) AS answer
