-- Entries, sum, and how many invoices the day makes, credit notes not counted.
SELECT coalesce(sum(entries), 0)::bigint, coalesce(sum(sum_micros), 0)::bigint,
       count(*) FILTER (WHERE invoiced_micros > 0), coalesce(sum(invoiced_micros), 0)::bigint
  FROM crawler_day WHERE site_id = $1::bigint AND local_date = $2::date
