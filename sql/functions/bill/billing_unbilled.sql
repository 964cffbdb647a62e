CREATE OR REPLACE FUNCTION billing_unbilled(of_site bigint, of_crawler bigint, of_date date) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.amount_micros), 0) > 0
      FROM (SELECT of_date AS local_date
            UNION ALL
            SELECT t.local_date FROM billing_day(of_site, of_date) b
              JOIN crawler_day t ON t.site_id = of_site AND t.crawler_id = of_crawler
               AND t.close_number < b.close_number AND t.close_number > coalesce((
                       SELECT max(p.close_number) FROM crawler_day p
                        WHERE p.site_id = of_site AND p.crawler_id = of_crawler
                          AND p.invoiced_micros > 0 AND p.close_number < b.close_number), 0)) AS since
      JOIN crawler_day_line l ON l.site_id = of_site AND l.local_date = since.local_date
       AND l.crawler_id = of_crawler AND l.corrects IS NULL
$$;
COMMENT ON FUNCTION billing_unbilled IS 'Whether the lines of an invoice at a day''s end would come to more
than nothing. If not it is not made, however much the remainders of credit notes and reissued invoices have
come to: it could not say what it is for.';
