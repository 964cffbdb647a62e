-- The rows that are facts of site $1, or, if it is NULL, of none, against their notes and what was sealed.
-- columns of audit_finding: subject text, problem text
WITH present AS (
    SELECT s.source, n.key, n.digest FROM fact_sources() s CROSS JOIN LATERAL facts_of(s.source, $1::bigint) n
), noted AS (
    SELECT f.source, f.key, f.digest, f.made_at, f.superuser, d.digest AS sealed, d.local_date, d.sealed_at
      FROM fact f LEFT JOIN day_fact d USING (source, key)
     WHERE f.site_id IS NOT DISTINCT FROM $1::bigint
)
SELECT source || ' ' || key AS subject,
       CASE WHEN p.key IS NULL THEN 'was removed; it was made at ' || instant_text(n.made_at)
            WHEN n.key IS NULL THEN 'was added behind the ledger''s back: there is no note of it'
            WHEN p.digest <> n.digest THEN 'was changed; it was made at ' || instant_text(n.made_at)
            ELSE 'was changed, and its note, too: another was sealed with ' || n.local_date END AS problem
  FROM present p FULL JOIN noted n USING (source, key)
 WHERE p.digest IS DISTINCT FROM n.digest OR n.digest <> n.sealed
UNION ALL
SELECT n.source || ' ' || n.key, 'was added at ' || instant_text(n.made_at) || ' by the superuser "'
       || n.superuser || '", by whom nothing of the ledger works'
  FROM noted n WHERE n.superuser IS NOT NULL
UNION ALL
SELECT d.source || ' ' || d.key, 'was sealed with ' || d.local_date || ', and its note is gone'
  FROM day_fact d
 WHERE $1::bigint IS NULL
   AND NOT EXISTS (SELECT FROM fact n WHERE n.source = d.source AND n.key = d.key)
UNION ALL
SELECT n.source || ' ' || n.key, 'its note says that it was made at ' || instant_text(n.made_at)
       || ', which is ' || CASE WHEN n.sealed_at IS NULL THEN 'not yet' ELSE 'after it was sealed' END
  FROM noted n
 WHERE n.made_at > coalesce(n.sealed_at, clock_timestamp())
UNION ALL
SELECT n.source || ' ' || n.key, 'says that it was sealed at ' || instant_text(n.sealed_at)
                                 || ', which is not yet'
  FROM noted n WHERE n.sealed_at > clock_timestamp()
UNION ALL
SELECT n.source || ' ' || n.key, 'was made at ' || instant_text(n.made_at) || ' and is in no day''s tree'
  FROM noted n
 WHERE n.local_date IS NULL
   AND n.made_at < (SELECT max(d.sealed_at) - interval '2 days' FROM day_fact d
                     WHERE $1::bigint IS NULL OR d.site_id = $1::bigint)
 ORDER BY 1 LIMIT 1000
