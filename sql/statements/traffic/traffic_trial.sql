-- What was counted by path at site $1 on the days $2 to $3.
-- columns: path text, crawler text, verified boolean, rule text, outcome text, requests bigint,
--   amount_micros bigint
SELECT path, crawler, verified, rule, outcome, sum(requests)::bigint AS requests,
       sum(amount_micros)::bigint AS amount_micros
  FROM traffic_path
 WHERE site_id = $1::bigint AND day BETWEEN $2::date AND $3::date
 GROUP BY path, crawler, verified, rule, outcome
 ORDER BY path, crawler, verified, rule, outcome
