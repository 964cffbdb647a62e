-- What day $3 of site $1 and crawler $2 has of crawls and what the terms take off them, from its close: for
-- days of which entries are archived.
-- columns: kind text, description text, unit_price_micros bigint, quantity bigint
SELECT kind, CASE kind WHEN 'crawls' THEN rule
                       WHEN 'included' THEN rule || ', included'
                       WHEN 'subscription' THEN rule || ', covered by the subscription'
                       ELSE rule || ', ' || detail END AS description, unit_price_micros, quantity
  FROM crawler_day_line
 WHERE site_id = $1::bigint AND crawler_id = $2::bigint AND local_date = $3::date
   AND kind IN ('crawls', 'included', 'subscription', 'tier')
