-- The versions that are in force or may come into force after instant $1, with the price list's exceptions
-- in order, one row for each path of each of them: what is in force later needs no other look. Steps through
-- the index from one account to the next; versions that are out of force are not looked at.
-- columns: site text, agent text, agreement_id bigint, valid_from_ms bigint, suspended boolean,
--   day_limit_micros bigint null, balance_limit_micros bigint null, position integer null,
--   price_micros bigint, rule text null, glob text null
WITH RECURSIVE account AS (
    (SELECT site_id, crawler_id FROM agreement ORDER BY site_id, crawler_id LIMIT 1)
    UNION ALL
    SELECT following.site_id, following.crawler_id
      FROM account p
     CROSS JOIN LATERAL (SELECT site_id, crawler_id FROM agreement n
                          WHERE (n.site_id, n.crawler_id) > (p.site_id, p.crawler_id)
                          ORDER BY site_id, crawler_id LIMIT 1) AS following
), from_version AS (
    SELECT account.*, coalesce((SELECT f.version FROM agreement f
                                 WHERE f.site_id = account.site_id AND f.crawler_id = account.crawler_id
                                   AND f.valid_from <= instant($1::bigint)
                                 ORDER BY f.version DESC LIMIT 1), 1) AS version
      FROM account
)
SELECT s.name AS site, k.agent, a.agreement_id, instant_ms(a.valid_from) AS valid_from_ms,
       a.status = 'suspended' AS suspended, a.day_limit_micros, a.balance_limit_micros,
       p.position, p.price_micros, p.rule, path.glob
  FROM from_version v
 CROSS JOIN LATERAL (SELECT * FROM agreement n WHERE n.site_id = v.site_id AND n.crawler_id = v.crawler_id
                        AND n.version >= v.version) AS a
  JOIN site s ON s.site_id = v.site_id
  JOIN crawler k ON k.crawler_id = v.crawler_id
  LEFT JOIN agreement_price p USING (agreement_id)
  LEFT JOIN LATERAL unnest(p.paths) WITH ORDINALITY AS path (glob, number) ON true
 ORDER BY s.name COLLATE "C", k.agent COLLATE "C", a.version, p.position, path.number
