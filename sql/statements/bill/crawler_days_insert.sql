-- The crawlers' links of the chain for day $2, the $3rd that site $1 closes. Computed before any is
-- added: each looks at the crawler's links of before, and would walk through those that are being made.
WITH link AS MATERIALIZED (
    SELECT * FROM billing_chain($1::bigint, $2::date)
)
INSERT INTO crawler_day (site_id, local_date, crawler_id, close_number, agreement_id, period_end,
                         period_crawls_before, period_micros_before, entries, sum_micros, terms_micros,
                         adjusted_micros, carried_in_micros, invoiced_micros, credited_micros,
                         carried_out_micros, reissued_micros)
SELECT $1::bigint, $2::date, crawler_id, $3::bigint, agreement_id, period_end, crawls_before, micros_before,
       entries, sum_micros, terms_micros, adjusted_micros, carried_in_micros, invoiced_micros,
       credited_micros, carried_out_micros, reissued_micros
  FROM link
