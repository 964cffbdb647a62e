-- Crawlers and the sites that they have to do with, of agent $1 or all: the agreement in force at $2, and
-- what is not billed yet, which is what was carried forward from the last closed day and what was spent
-- since; and its present account, which is another one for accounts of before. Spending is counted by
-- quarters of an hour (see table spend), so no entry is read.
-- columns: crawler_id bigint, agent text, first_seen_ms bigint, site text null, time_zone text,
--   currency text, status text, version integer null, valid_from text, open_entries bigint,
--   open_micros bigint, account text
WITH place AS (
    SELECT s.site_id, s.name, s.currency,
           coalesce((SELECT z.time_zone FROM site_zone z WHERE z.site_id = s.site_id
                      ORDER BY z.version DESC LIMIT 1), s.time_zone) AS time_zone,
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
    SELECT DISTINCT ON (site_id, crawler_id) site_id, crawler_id, version, status, valid_from
      FROM agreement
     WHERE valid_from <= instant($2::bigint)
     ORDER BY site_id, crawler_id, version DESC
), known AS (
    SELECT site_id, crawler_id FROM spent
    UNION SELECT site_id, crawler_id FROM carried
    UNION SELECT site_id, crawler_id FROM agreement
)
SELECT c.crawler_id, c.agent, instant_ms(c.first_seen_at) AS first_seen_ms, place.name AS site,
       place.time_zone, place.currency, coalesce(agreed.status, 'active') AS status, agreed.version,
       to_char(agreed.valid_from AT TIME ZONE place.time_zone, 'YYYY-MM-DD HH24:MI') AS valid_from,
       coalesce(spent.entries, 0) AS open_entries,
       coalesce(spent.micros, 0) + coalesce(carried.micros, 0) AS open_micros,
       crawler_account(c.agent) AS account
  FROM crawler c
  LEFT JOIN known USING (crawler_id)
  LEFT JOIN place ON place.site_id = known.site_id
  LEFT JOIN spent ON spent.site_id = known.site_id AND spent.crawler_id = c.crawler_id
  LEFT JOIN carried ON carried.site_id = known.site_id AND carried.crawler_id = c.crawler_id
  LEFT JOIN agreed ON agreed.site_id = known.site_id AND agreed.crawler_id = c.crawler_id
 WHERE $1::text IS NULL OR c.agent = $1::text
 ORDER BY c.agent, place.name
