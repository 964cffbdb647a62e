-- Billing days of the site and dates that $1 asks for, the newest first, up to today; below the one that
-- "after" names, "limit" and one more. $2 is the clock.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT q ->> 'site' AS site, coalesce((q ->> 'from')::date, '-infinity') AS first,
           coalesce((q ->> 'to')::date, 'infinity') AS last, (q ->> 'limit')::bigint + 1 AS room,
           (q -> 'after' ->> 0)::date AS after_date, q -> 'after' ->> 1 AS after_site
      FROM (SELECT $1::jsonb AS q) AS given
)
SELECT jsonb_build_object(
           'date', d.local_date, 'site', s.name, 'time_zone', d.time_zone,
           'state', CASE WHEN c.local_date IS NOT NULL THEN 'closed'
                         WHEN e.local_date IS NOT NULL THEN 'sealed'
                         ELSE 'open' END,
           'entries', c.entries, 'sum_micros', c.sum_micros, 'currency', s.currency,
           'closed_at', instant_text(coalesce(c.made_at, c.due_at)), 'log_size', p.log_size,
           'root', encode(p.day_root, 'hex')) AS row,
       jsonb_build_array(d.local_date, s.name)::text AS cursor
  FROM asked a
 CROSS JOIN LATERAL (
       SELECT d.*, z.name FROM day d JOIN site z USING (site_id)
        WHERE d.starts_at <= instant($2::bigint) AND d.local_date >= a.first AND d.local_date <= a.last
          AND (a.site IS NULL OR z.name = a.site)
          AND (a.after_date IS NULL OR (d.local_date, z.name) < (a.after_date, a.after_site))
        ORDER BY d.local_date DESC, z.name DESC LIMIT a.room) AS d
  JOIN site s ON s.site_id = d.site_id
  LEFT JOIN day_close c ON c.site_id = d.site_id AND c.local_date = d.local_date
  LEFT JOIN day_seal e ON e.site_id = d.site_id AND e.local_date = d.local_date
  LEFT JOIN checkpoint p ON p.site_id = d.site_id AND p.local_date = d.local_date
 ORDER BY d.local_date DESC, s.name DESC
