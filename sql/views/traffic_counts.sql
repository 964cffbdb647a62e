CREATE OR REPLACE VIEW traffic_counts AS
SELECT site_id, period AS counted_at, crawler, verified, rule, outcome, reason, requests, bytes,
       amount_micros, pages
  FROM traffic
UNION ALL
SELECT site_id, hour, crawler, verified, rule, outcome, reason, requests, bytes, amount_micros, pages
  FROM traffic_hour;
COMMENT ON VIEW traffic_counts IS 'All traffic, whether it is added up already or not: a row is of some
seconds or of an hour.';
