-- Invoices and credit notes of site $1 and crawler $2 whose last day is from $3 to $4 (NULL: all), behind
-- number $5 (NULL: from the first on), $6 at most, the oldest first. $7 is the clock, for what is overdue.
-- What the site has written off it is owed all the same.
-- columns: number text, kind text, corrects text null, issue_date date, due_date date null,
--   first_date date, last_date date, entries bigint, total_minor bigint, open_minor bigint, currency text,
--   currency_decimals smallint, status text
SELECT i.number, i.kind, i.corrects, i.issue_date, i.due_date, i.first_date,
       coalesce(i.crawls_date, i.local_date) AS last_date, i.entries, i.total_minor, s.open_minor, i.currency,
       i.currency_decimals,
       CASE WHEN s.status IN ('issued', 'sent', 'part-paid', 'written-off')
             AND i.due_date < (instant($7::bigint) AT TIME ZONE i.time_zone)::date
            THEN 'overdue'
            WHEN s.status <> 'written-off' THEN s.status
            WHEN s.paid_minor > 0 OR s.applied_minor > 0 THEN 'part-paid'
            WHEN EXISTS (SELECT FROM invoice_event e
                          WHERE e.site_id = i.site_id AND e.number = i.number AND e.event = 'sent')
            THEN 'sent' ELSE 'issued' END AS status
  FROM invoice i JOIN invoice_state s USING (site_id, number)
 WHERE i.site_id = $1::bigint AND i.crawler_id = $2::bigint
   AND ($3::date IS NULL OR i.local_date >= $3::date) AND ($4::date IS NULL OR i.local_date <= $4::date)
   AND ($5::text IS NULL OR (i.local_date, i.number) > (
           SELECT o.local_date, o.number FROM invoice o
            WHERE o.site_id = $1::bigint AND o.crawler_id = $2::bigint AND o.number = $5::text))
 ORDER BY i.local_date, i.number LIMIT $6::bigint
