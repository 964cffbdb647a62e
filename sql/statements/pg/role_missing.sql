-- Which of the roles $1..$4 are not there yet, to report what the bootstrap made.
-- columns: name text
SELECT name FROM unnest(ARRAY[$1::text, $2::text, $3::text, $4::text]) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
