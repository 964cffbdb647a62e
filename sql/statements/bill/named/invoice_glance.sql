-- The invoices and credit notes of number $1, at any site, and what has become of them; $2 is the clock, for
-- what is overdue.
-- columns: number text, site text, kind text, agent text, issue_date date, due_date date null,
--   first_date date, last_date date, status text, total_minor bigint, open_minor bigint, currency text,
--   currency_decimals smallint, entries bigint, lines bigint, corrects text null, replaces text null,
--   credit_notes text null
SELECT i.number, i.site_name AS site, i.kind, i.agent, i.issue_date, i.due_date, i.first_date,
       coalesce(i.crawls_date, i.local_date) AS last_date,
       CASE WHEN s.status IN ('issued', 'sent', 'part-paid')
             AND i.due_date < (instant($2::bigint) AT TIME ZONE i.time_zone)::date
            THEN 'overdue' ELSE s.status END AS status,
       i.total_minor, s.open_minor, i.currency, i.currency_decimals, i.entries,
       (SELECT count(*) FROM invoice_line l WHERE l.site_id = i.site_id AND l.number = i.number) AS lines,
       i.corrects, i.replaces,
       (SELECT string_agg(n.number, ', ' ORDER BY n.local_date, n.sequence) FROM invoice n
         WHERE n.site_id = i.site_id AND n.corrects = i.number) AS credit_notes
  FROM invoice i JOIN invoice_state s USING (site_id, number) WHERE i.number = $1::text ORDER BY i.site_name
