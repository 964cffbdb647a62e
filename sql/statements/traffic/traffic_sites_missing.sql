-- How many of these sites the ledger does not know.
-- columns: missing bigint
SELECT count(*) AS missing FROM unnest($1::text[]) AS name
 WHERE NOT EXISTS (SELECT FROM site WHERE site.name = name.name)
