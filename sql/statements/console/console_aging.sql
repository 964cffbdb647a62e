-- What is still to be paid of invoices, by how long ago they were issued, and what was written off of them:
-- of the site that $1 asks for. $2 is the clock.
-- columns of console_row: row jsonb, cursor text
WITH unpaid AS (
    SELECT i.site_name, i.currency, t.open_minor * minor_micros(i.currency_decimals) AS micros,
           (instant($2::bigint) AT TIME ZONE i.time_zone)::date - i.issue_date AS age,
           t.status = 'written-off' AS written_off
      FROM invoice i
     CROSS JOIN LATERAL (SELECT * FROM invoice_state s WHERE s.site_id = i.site_id AND s.number = i.number) t
     WHERE i.kind = 'invoice' AND t.status IN ('issued', 'sent', 'part-paid', 'written-off')
       AND t.open_minor > 0
       AND ($1::jsonb ->> 'site' IS NULL OR i.site_name = $1::jsonb ->> 'site')
       AND i.local_date > (instant($2::bigint) - interval '3 years')::date
)
SELECT jsonb_build_object(
           'site', site_name, 'currency', currency, 'invoices', count(*) FILTER (WHERE NOT written_off),
           'to_30_micros', coalesce(sum(micros) FILTER (WHERE age <= 30 AND NOT written_off), 0)::bigint,
           'to_60_micros', coalesce(sum(micros) FILTER (WHERE age > 30 AND age <= 60
                                                          AND NOT written_off), 0)::bigint,
           'to_90_micros', coalesce(sum(micros) FILTER (WHERE age > 60 AND age <= 90
                                                          AND NOT written_off), 0)::bigint,
           'over_micros', coalesce(sum(micros) FILTER (WHERE age > 90 AND NOT written_off), 0)::bigint,
           'total_micros', coalesce(sum(micros) FILTER (WHERE NOT written_off), 0)::bigint,
           'written_off_micros', coalesce(sum(micros) FILTER (WHERE written_off), 0)::bigint) AS row,
       site_name AS cursor
  FROM unpaid GROUP BY site_name, currency ORDER BY site_name
