-- The days whose crawls invoice $2 of site $1 bills, in order: the ids of each, how many crawls of the period
-- were paid before it, the agreement that discounts them, and the file in which some are, if any are
-- archived. Of a day whose beginning is archived, crawls are counted from its end.
-- columns: local_date date, first_id uuid, end_id uuid, crawler_id bigint, crawls_before bigint,
--   agreement_id bigint, terms_version integer, file text null
WITH wanted AS (
    SELECT i.site_id, i.crawler_id, now.close_number,
           coalesce((SELECT max(b.close_number) FROM crawler_day b
                      WHERE b.site_id = i.site_id AND b.crawler_id = i.crawler_id AND b.invoiced_micros > 0
                        AND b.close_number < now.close_number), 0) AS last_close
      FROM invoice i JOIN crawler_day now ON now.site_id = i.site_id AND now.crawler_id = i.crawler_id
       AND now.local_date = coalesce(i.crawls_date, i.local_date)
     WHERE i.site_id = $1::bigint AND i.number = $2::text AND i.kind = 'invoice'
), part AS (
    SELECT t.local_date, uuid_floor(d.starts_at) AS first_id, uuid_floor(d.ends_at) AS end_id, t.site_id,
           t.crawler_id, t.period_crawls_before, t.agreement_id, t.close_number,
           (SELECT min(w.file) FROM archived w
             WHERE w.utc_date BETWEEN (d.starts_at AT TIME ZONE 'UTC')::date
                                  AND ((d.ends_at - interval '1 microsecond') AT TIME ZONE 'UTC')::date)
               AS file,
           EXISTS (SELECT FROM archived w WHERE w.utc_date = (d.starts_at AT TIME ZONE 'UTC')::date)
               AS begins_away
      FROM wanted i
      JOIN crawler_day t ON t.site_id = i.site_id AND t.crawler_id = i.crawler_id
       AND t.close_number > i.last_close AND t.close_number <= i.close_number
      JOIN day d ON d.site_id = t.site_id AND d.local_date = t.local_date
     WHERE t.entries > 0
)
SELECT p.local_date, p.first_id, p.end_id, p.crawler_id,
       p.period_crawls_before + CASE WHEN p.begins_away
           THEN paid_crawls(p.site_id, p.local_date, p.crawler_id) - (
               SELECT count(*) FROM paid_ids(p.site_id, p.crawler_id, p.first_id, p.end_id))
           ELSE 0 END AS crawls_before,
       coalesce(p.agreement_id, 0) AS agreement_id, coalesce(a.version, 0) AS terms_version, p.file
  FROM part p LEFT JOIN agreement a USING (agreement_id)
 ORDER BY p.close_number
