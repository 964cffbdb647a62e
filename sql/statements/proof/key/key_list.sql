-- Every key that signs or signed the log of a site (of site $1, or all), the oldest first: from when to when,
-- and why it came. A key without checkpoints is listed too.
-- columns: site text, verifier_key text, first_date date null, last_date date null, checkpoints bigint,
--   from_ms bigint null, until_ms bigint null, actor text, reason text, lost boolean
WITH change AS (
    SELECT site_id, number, new_key AS key, changed_at, actor, reason, lost FROM checkpoint_key_change
    UNION ALL
    SELECT c.site_id, 0, coalesce((SELECT old_key FROM checkpoint_key_change k
                                    WHERE k.site_id = c.site_id ORDER BY number LIMIT 1), c.verifier_key),
           NULL, '', '', false
      FROM checkpoint c WHERE c.log_size = 1
)
SELECT s.name AS site, k.key AS verifier_key, signed.first_date, signed.last_date,
       coalesce(signed.checkpoints, 0) AS checkpoints, instant_ms(k.changed_at) AS from_ms,
       instant_ms(lead(k.changed_at) OVER (PARTITION BY k.site_id ORDER BY k.number)) AS until_ms, k.actor,
       k.reason, k.lost
  FROM change k JOIN site s USING (site_id)
  LEFT JOIN LATERAL (SELECT min(c.local_date) AS first_date, max(c.local_date) AS last_date,
                            count(*) AS checkpoints
                       FROM checkpoint c
                      WHERE c.site_id = k.site_id AND c.verifier_key = k.key) signed ON true
 WHERE $1::text IS NULL OR s.name = $1::text
 ORDER BY s.name, k.number
