-- Which pages were paid for on the days (UTC) that $1 asks for, without them the seven days before clock
-- $2, of its site and crawler: those that earned most, among the newest 200,000 entries.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT (SELECT site_id FROM site WHERE name = q ->> 'site') AS site_id, q ->> 'site' AS site,
           (SELECT crawler_id FROM crawler WHERE agent = q ->> 'crawler') AS crawler_id,
           q ->> 'crawler' AS agent, q ->> 'rule' AS rule,
           uuid_floor(coalesce((q ->> 'from')::date::timestamp AT TIME ZONE 'UTC',
                               coalesce((q ->> 'to')::date::timestamp AT TIME ZONE 'UTC',
                                        instant($2::bigint)) - interval '7 days')) AS first,
           uuid_floor(coalesce(((q ->> 'to')::date + 1)::timestamp AT TIME ZONE 'UTC',
                               instant($2::bigint) + interval '1 day')) AS below
      FROM (SELECT $1::jsonb AS q) AS given
), recent AS (
    SELECT c.site_id, c.crawler_id, c.resource, c.rule, c.amount_micros, c.recorded_at
      FROM asked
     CROSS JOIN LATERAL (
           SELECT * FROM charge_range(asked.first, asked.below) c
            WHERE (asked.site IS NULL OR c.site_id = asked.site_id)
              AND (asked.agent IS NULL OR c.crawler_id = asked.crawler_id)
              AND (asked.rule IS NULL OR c.rule = asked.rule)
            ORDER BY c.payment_id DESC LIMIT 200000) AS c
)
SELECT jsonb_build_object(
           'resource', r.resource, 'site', s.name, 'rule', max(r.rule), 'paid', count(*),
           'crawlers', count(DISTINCT r.crawler_id), 'earned_micros', sum(r.amount_micros)::bigint,
           'currency', s.currency, 'last_paid', instant_text(max(r.recorded_at))) AS row,
       s.name || ' ' || r.resource AS cursor
  FROM recent r JOIN site s USING (site_id)
 GROUP BY s.name, s.currency, r.resource
 ORDER BY sum(r.amount_micros) DESC, r.resource LIMIT 1000
