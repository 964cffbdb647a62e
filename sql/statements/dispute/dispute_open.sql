-- The same for the publisher: $2 is the site, $3 the reason, $4 his words, $5 to $7 the subjects, $8 a file,
-- $9 its name, $10 who does it, $11 and $12 the days.
-- columns: answer jsonb
SELECT dispute_add(jsonb_populate_record(NULL::dispute, jsonb_build_object(
                       'dispute_id', $1::uuid, 'site_id', $2::bigint, 'opened_by', 'publisher',
                       'reason', $3::text, 'statement', $4::text, 'evidence', $8::bytea,
                       'evidence_name', $9::text, 'actor', $10::text || ' as ' || session_user)),
                   ARRAY(SELECT nullif(p, '')::uuid FROM unnest($5::text[]) WITH ORDINALITY AS a (p, n)
                          ORDER BY n),
                   $6::text[], $7::bigint[]::integer[], $11::integer, $12::integer) AS answer
