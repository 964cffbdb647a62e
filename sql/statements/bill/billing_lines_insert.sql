-- What the terms and adjustments add to the crawls of day $2 of site $1. Computed before any is
-- added, as in crawler_days_insert.
WITH due AS MATERIALIZED (
    SELECT * FROM billing_lines($1::bigint, $2::date)
)
INSERT INTO crawler_day_line (site_id, local_date, crawler_id, kind, rule, unit_price_micros, quantity,
                              amount_micros, detail, adjustment_id, corrects)
SELECT $1::bigint, $2::date, crawler_id, kind, rule, unit_price_micros, quantity,
       quantity * unit_price_micros, detail, adjustment_id, corrects
  FROM due
