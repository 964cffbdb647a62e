-- The accounts of crawler $1 at site $2 (NULL: all it has crawled), with what was open before $3, what is
-- carried at the end of $4, and that date; without one it is the site's today at clock $5.
-- columns: site_id bigint, crawler_id bigint, site text, currency text, currency_decimals smallint,
--   opening_minor bigint, carried_micros bigint, last_date date
SELECT s.site_id, c.crawler_id, s.name AS site, s.currency, s.currency_decimals,
       coalesce((SELECT sum(CASE i.kind WHEN 'invoice' THEN i.total_minor ELSE -i.total_minor END)
                   FROM invoice i WHERE i.site_id = s.site_id AND i.crawler_id = c.crawler_id
                    AND i.issue_date < $3::date), 0)::bigint
       - coalesce((SELECT sum(p.amount_minor)
                     FROM invoice i JOIN invoice_payment p USING (site_id, number)
                    WHERE i.site_id = s.site_id AND i.crawler_id = c.crawler_id
                      AND p.received_on < $3::date), 0)::bigint AS opening_minor,
       coalesce((SELECT t.carried_out_micros FROM crawler_day t
                  WHERE t.site_id = s.site_id AND t.crawler_id = c.crawler_id AND t.local_date <= last_date
                  ORDER BY t.close_number DESC LIMIT 1), 0) AS carried_micros, last_date
  FROM crawler c CROSS JOIN site s
 CROSS JOIN LATERAL (
     SELECT coalesce($4::date, greatest($3::date, (instant($5::bigint) AT TIME ZONE coalesce((
                SELECT z.time_zone FROM site_zone z WHERE z.site_id = s.site_id
                 ORDER BY z.version DESC LIMIT 1), s.time_zone))::date)) AS last_date) AS span
 WHERE c.agent = $1::text AND ($2::text IS NULL OR s.name = $2::text)
   AND ($2::text IS NOT NULL OR EXISTS (SELECT FROM crawler_day t
                                         WHERE t.site_id = s.site_id AND t.crawler_id = c.crawler_id))
 ORDER BY s.name
