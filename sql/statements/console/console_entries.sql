-- Entries, the newest first, of the site, crawler, rule and days (UTC) that $1 asks for; below the one that
-- "after" names, "limit" and one more. Without "from", of the thirty days before clock $2 or before "to": a
-- list must not read years to find a page of somebody who has not come for long.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT (SELECT site_id FROM site WHERE name = q ->> 'site') AS site_id, q ->> 'site' AS site,
           (SELECT crawler_id FROM crawler WHERE agent = q ->> 'crawler') AS crawler_id,
           q ->> 'crawler' AS agent, q ->> 'rule' AS rule, (q ->> 'limit')::bigint + 1 AS room,
           uuid_floor(coalesce((q ->> 'from')::date::timestamp AT TIME ZONE 'UTC',
                               coalesce((q ->> 'to')::date::timestamp AT TIME ZONE 'UTC',
                                        instant($2::bigint)) - interval '30 days')) AS first,
           coalesce((q -> 'after' ->> 0)::uuid,
                    uuid_floor(coalesce(((q ->> 'to')::date + 1)::timestamp AT TIME ZONE 'UTC',
                                        instant($2::bigint) + interval '1 day'))) AS below
      FROM (SELECT $1::jsonb AS q) AS given
)
SELECT jsonb_build_object(
           'payment_id', c.payment_id, 'recorded_at', instant_text(c.recorded_at), 'site', s.name,
           'crawler', k.agent, 'rule', c.rule, 'resource', c.resource, 'amount_micros', c.amount_micros,
           'currency', s.currency, 'undelivered', n.payment_id IS NOT NULL,
           'taken_back_micros', coalesce((SELECT sum(a.amount_micros)::bigint FROM adjustment a
                                           WHERE a.payment_id = c.payment_id), 0)) AS row,
       jsonb_build_array(c.payment_id)::text AS cursor
  FROM asked
 CROSS JOIN LATERAL (
       SELECT * FROM charge_range(asked.first, asked.below) c
        WHERE (asked.site IS NULL OR c.site_id = asked.site_id)
          AND (asked.agent IS NULL OR c.crawler_id = asked.crawler_id)
          AND (asked.rule IS NULL OR c.rule = asked.rule)
        ORDER BY c.payment_id DESC LIMIT asked.room) AS c
  JOIN site s ON s.site_id = c.site_id
  JOIN crawler k ON k.crawler_id = c.crawler_id
  LEFT JOIN undelivered n ON n.payment_id = c.payment_id
 ORDER BY c.payment_id DESC
