-- Of site $1, whose last day is from $2 to $3, status $4 and crawler $5, NULL for all; newest first within a
-- site. $6 is the clock, for what is overdue.
-- columns: site text, number text, issue_date date, agent text, entries bigint, total_minor bigint,
--   currency text, currency_decimals smallint, status text, due_date date null, kind text,
--   open_minor bigint
WITH listed AS (
    SELECT i.*, s.open_minor, CASE WHEN s.status IN ('issued', 'sent', 'part-paid')
                    AND i.due_date < (instant($6::bigint) AT TIME ZONE i.time_zone)::date
                   THEN 'overdue' ELSE s.status END AS status
      FROM invoice i JOIN invoice_state s USING (site_id, number)
     WHERE ($1::text IS NULL OR i.site_name = $1::text)
       AND ($2::date IS NULL OR i.local_date >= $2::date) AND ($3::date IS NULL OR i.local_date <= $3::date)
       AND ($5::text IS NULL OR i.agent = $5::text)
)
SELECT site_name AS site, number, issue_date, agent, entries, total_minor, currency,
       currency_decimals, status, due_date, kind, open_minor
  FROM listed WHERE $4::text IS NULL OR status = $4::text
 ORDER BY site_name, local_date DESC, kind DESC, sequence
