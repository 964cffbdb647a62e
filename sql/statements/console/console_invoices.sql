-- Invoices and credit notes of the site, crawler, status and days (by the last day billed) that $1 asks
-- for, the newest first, or the oldest first if "order" is "oldest"; below the one that "after" names,
-- "limit" and one more. Each branch reads its own index, so that a page costs the same however many there
-- are. $2 is the clock.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT q ->> 'site' AS site, q ->> 'crawler' AS agent, q ->> 'status' AS status,
           coalesce((q ->> 'from')::date, '-infinity') AS first,
           coalesce((q ->> 'to')::date, 'infinity') AS last,
           coalesce(q ->> 'order', 'newest') AS sorted, (q ->> 'limit')::bigint + 1 AS room,
           (q -> 'after' ->> 0)::date AS after_date, (q -> 'after' ->> 1)::bigint AS after_site,
           q -> 'after' ->> 2 AS after_number
      FROM (SELECT $1::jsonb AS q) AS given
), listed AS (
    SELECT x.* FROM asked a
     CROSS JOIN LATERAL (
           SELECT i.*, t.open_minor, t.paid_minor, t.status AS now_is
             FROM invoice i
            CROSS JOIN LATERAL (SELECT * FROM invoice_state s
                                 WHERE s.site_id = i.site_id AND s.number = i.number) t
            WHERE i.local_date >= a.first AND i.local_date <= a.last
              AND (a.site IS NULL OR i.site_name = a.site) AND (a.agent IS NULL OR i.agent = a.agent)
              AND (a.after_date IS NULL OR (i.local_date, i.site_id, i.number)
                                           < (a.after_date, a.after_site, a.after_number))
              AND (a.status IS NULL OR a.status = 'open' AND t.open_minor > 0
                      AND t.status <> 'written-off'
                   OR a.status = CASE WHEN t.status IN ('issued', 'sent', 'part-paid') AND i.due_date <
                                           (instant($2::bigint) AT TIME ZONE i.time_zone)::date
                                      THEN 'overdue' ELSE t.status END)
            ORDER BY i.local_date DESC, i.site_id DESC, i.number DESC LIMIT a.room) AS x
     WHERE a.sorted = 'newest'
    UNION ALL
    SELECT x.* FROM asked a
     CROSS JOIN LATERAL (
           SELECT i.*, t.open_minor, t.paid_minor, t.status AS now_is
             FROM invoice i
            CROSS JOIN LATERAL (SELECT * FROM invoice_state s
                                 WHERE s.site_id = i.site_id AND s.number = i.number) t
            WHERE i.local_date >= a.first AND i.local_date <= a.last
              AND (a.site IS NULL OR i.site_name = a.site) AND (a.agent IS NULL OR i.agent = a.agent)
              AND (a.after_date IS NULL OR (i.local_date, i.site_id, i.number)
                                           > (a.after_date, a.after_site, a.after_number))
              AND (a.status IS NULL OR a.status = 'open' AND t.open_minor > 0
                      AND t.status <> 'written-off'
                   OR a.status = CASE WHEN t.status IN ('issued', 'sent', 'part-paid') AND i.due_date <
                                           (instant($2::bigint) AT TIME ZONE i.time_zone)::date
                                      THEN 'overdue' ELSE t.status END)
            ORDER BY i.local_date, i.site_id, i.number LIMIT a.room) AS x
     WHERE a.sorted = 'oldest'
)
SELECT jsonb_build_object(
           'number', number, 'kind', kind, 'site', site_name, 'crawler', agent, 'first_date', first_date,
           'last_date', local_date, 'issue_date', issue_date, 'due_date', due_date, 'entries', entries,
           'total_micros', total_minor * minor_micros(currency_decimals),
           'open_micros', open_minor * minor_micros(currency_decimals), 'currency', currency,
           'age_days', (instant($2::bigint) AT TIME ZONE time_zone)::date - issue_date,
           'status', CASE WHEN now_is IN ('issued', 'sent', 'part-paid')
                           AND due_date < (instant($2::bigint) AT TIME ZONE time_zone)::date
                          THEN 'overdue' ELSE now_is END) AS row,
       jsonb_build_array(local_date, site_id, number)::text AS cursor
  FROM listed
