-- Crawlers and the sites that they have to do with, as crawler_list has them: of the crawler and the site
-- that are asked for in $1. $2 is the clock.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT $1::jsonb ->> 'site' AS site, $1::jsonb ->> 'crawler' AS agent
), place AS (
    SELECT s.site_id, s.name, s.currency,
           coalesce((SELECT (extract(epoch FROM max(d.ends_at)) / 900)::bigint
                       FROM day_close c JOIN day d USING (site_id, local_date)
                      WHERE c.site_id = s.site_id), 0) AS first_quarter
      FROM site s
), spent AS (
    SELECT sp.site_id, sp.crawler_id, sum(sp.entries)::bigint AS entries,
           sum(sp.amount_micros)::bigint AS micros
      FROM spend sp JOIN place USING (site_id)
     WHERE sp.quarter >= place.first_quarter
     GROUP BY sp.site_id, sp.crawler_id
), carried AS (
    SELECT DISTINCT ON (site_id, crawler_id) site_id, crawler_id, carried_out_micros AS micros
      FROM crawler_day
     ORDER BY site_id, crawler_id, close_number DESC
), agreed AS (
    SELECT DISTINCT ON (site_id, crawler_id) site_id, crawler_id, version, status, cadence, day_limit_micros,
           balance_limit_micros
      FROM agreement
     WHERE valid_from <= instant($2::bigint)
     ORDER BY site_id, crawler_id, version DESC
), known AS (
    SELECT site_id, crawler_id FROM spent
    UNION SELECT site_id, crawler_id FROM carried
    UNION SELECT site_id, crawler_id FROM agreement
), owed AS (
    SELECT i.site_id, i.crawler_id, sum(t.open_minor * minor_micros(i.currency_decimals))::bigint AS micros
      FROM invoice i JOIN invoice_state t USING (site_id, number)
     WHERE i.agent = (SELECT agent FROM asked) AND t.status IN ('issued', 'sent', 'part-paid')
     GROUP BY 1, 2
)
SELECT jsonb_build_object(
           'crawler', c.agent, 'site', coalesce(place.name, ''), 'status', coalesce(agreed.status, 'active'),
           'agreement', agreed.version, 'cadence', coalesce(agreed.cadence, ''),
           'day_limit_micros', agreed.day_limit_micros, 'balance_limit_micros', agreed.balance_limit_micros,
           'unbilled_entries', coalesce(spent.entries, 0),
           'unbilled_micros', coalesce(spent.micros, 0) + coalesce(carried.micros, 0),
           'owed_micros', CASE WHEN asked.agent IS NOT NULL THEN coalesce(owed.micros, 0) END,
           'currency', coalesce(place.currency, ''), 'first_seen', instant_text(c.first_seen_at)) AS row,
       c.agent || ' ' || coalesce(place.name, '') AS cursor
  FROM asked
 CROSS JOIN crawler c
  LEFT JOIN known USING (crawler_id)
  LEFT JOIN place ON place.site_id = known.site_id
  LEFT JOIN spent ON spent.site_id = known.site_id AND spent.crawler_id = c.crawler_id
  LEFT JOIN carried ON carried.site_id = known.site_id AND carried.crawler_id = c.crawler_id
  LEFT JOIN agreed ON agreed.site_id = known.site_id AND agreed.crawler_id = c.crawler_id
  LEFT JOIN owed ON owed.site_id = known.site_id AND owed.crawler_id = c.crawler_id
 WHERE (asked.agent IS NULL OR c.agent = asked.agent) AND (asked.site IS NULL OR place.name = asked.site)
 ORDER BY c.agent, place.name LIMIT 20000
