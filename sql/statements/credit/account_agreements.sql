-- The versions that are in force or may come into force after instant $1, with the price list's exceptions
-- in order, one row for each path of each of them: what is in force later needs no other look.
-- columns: site text, agent text, agreement_id bigint, valid_from_ms bigint, suspended boolean,
--   day_limit_micros bigint null, balance_limit_micros bigint null, position integer null,
--   price_micros bigint, rule text null, glob text null
SELECT s.name AS site, k.agent, a.agreement_id, instant_ms(a.valid_from) AS valid_from_ms,
       a.status = 'suspended' AS suspended, a.day_limit_micros, a.balance_limit_micros,
       p.position, p.price_micros, p.rule, path.glob
  FROM agreement a
  JOIN site s USING (site_id)
  JOIN crawler k USING (crawler_id)
  LEFT JOIN agreement_price p USING (agreement_id)
  LEFT JOIN LATERAL unnest(p.paths) WITH ORDINALITY AS path (glob, number) ON true
 WHERE NOT EXISTS (SELECT FROM agreement n
                    WHERE n.site_id = a.site_id AND n.crawler_id = a.crawler_id AND n.version > a.version
                      AND n.valid_from <= instant($1::bigint))
 ORDER BY s.name COLLATE "C", k.agent COLLATE "C", a.version, p.position, path.number
