-- The invoice or credit note of site $1 and crawler $2 with number $3, and before and up to which ids its
-- entries are: those of the days that it bills, since the last invoice. No row: it is not theirs. "owed": its
-- status at clock $4 as own_invoices has it, if it is written off.
-- columns: kind text, first_id uuid null, end_id uuid null, owed text
SELECT i.kind, span.first_id, span.end_id,
       CASE WHEN i.due_date < (instant($4::bigint) AT TIME ZONE i.time_zone)::date THEN 'overdue'
            WHEN s.paid_minor > 0 OR s.applied_minor > 0 THEN 'part-paid'
            WHEN EXISTS (SELECT FROM invoice_event e
                          WHERE e.site_id = i.site_id AND e.number = i.number AND e.event = 'sent')
            THEN 'sent' ELSE 'issued' END AS owed
  FROM invoice i JOIN invoice_state s USING (site_id, number)
  JOIN crawler_day c ON c.site_id = i.site_id AND c.crawler_id = i.crawler_id
   AND c.local_date = coalesce(i.crawls_date, i.local_date)
 CROSS JOIN LATERAL (
     SELECT uuid_floor(min(d.starts_at)) AS first_id, uuid_floor(max(d.ends_at)) AS end_id
       FROM crawler_day t JOIN day d USING (site_id, local_date)
      WHERE t.site_id = i.site_id AND t.crawler_id = i.crawler_id AND t.entries > 0
        AND t.close_number <= c.close_number
        AND t.close_number > coalesce((
                SELECT max(b.close_number) FROM crawler_day b
                 WHERE b.site_id = i.site_id AND b.crawler_id = i.crawler_id AND b.invoiced_micros > 0
                   AND b.close_number < c.close_number), 0)) AS span
 WHERE i.site_id = $1::bigint AND i.crawler_id = $2::bigint AND i.number = $3::text
