-- Entries, sum, and how many invoices the day makes, credit notes not counted.
-- columns: entries bigint, sum_micros bigint, invoices bigint, invoiced_micros bigint
SELECT coalesce(sum(entries), 0)::bigint AS entries, coalesce(sum(sum_micros), 0)::bigint AS sum_micros,
       count(*) FILTER (WHERE invoiced_micros > 0) AS invoices,
       coalesce(sum(invoiced_micros), 0)::bigint AS invoiced_micros
  FROM crawler_day WHERE site_id = $1::bigint AND local_date = $2::date
