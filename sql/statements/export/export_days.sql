-- Billing days, oldest first by site: from $1 to before $2, of site $3, those with one of the payment ids $4,
-- and those whose crawls are on invoice $5. Any of these may be NULL. A file with some of a day's entries if
-- any are archived.
-- columns: site_id bigint, site text, network text, currency text, local_date date, first_id uuid,
--   end_id uuid, sealed boolean, entries bigint, sum_micros bigint, log_size bigint, day_root bytea,
--   log_root bytea, archive text null
WITH billed AS (
    SELECT i.site_id, t.local_date FROM invoice i
      JOIN crawler_day b ON b.site_id = i.site_id AND b.crawler_id = i.crawler_id
       AND b.local_date = coalesce(i.crawls_date, i.local_date)
      JOIN crawler_day t ON t.site_id = i.site_id AND t.crawler_id = i.crawler_id
       AND t.close_number <= b.close_number
       AND t.close_number > coalesce((
               SELECT max(o.close_number) FROM crawler_day o
                WHERE o.site_id = i.site_id AND o.crawler_id = i.crawler_id AND o.invoiced_micros > 0
                  AND o.close_number < b.close_number), 0)
     WHERE i.number = $5::text AND i.kind = 'invoice'
)
SELECT s.site_id, s.name AS site, s.network, s.currency, d.local_date, uuid_floor(d.starts_at) AS first_id,
       uuid_floor(d.ends_at) AS end_id, p.log_size IS NOT NULL AS sealed, coalesce(c.entries, 0) AS entries,
       coalesce(c.sum_micros, 0) AS sum_micros, coalesce(p.log_size, 0) AS log_size, p.day_root, p.log_root,
       (SELECT a.file FROM archived a
         WHERE d.starts_at < (a.utc_date + 1)::timestamp AT TIME ZONE 'UTC'
           AND d.ends_at > a.utc_date::timestamp AT TIME ZONE 'UTC' ORDER BY a.utc_date LIMIT 1) AS archive
  FROM day d JOIN site s USING (site_id)
  LEFT JOIN day_close c USING (site_id, local_date)
  LEFT JOIN checkpoint p USING (site_id, local_date)
 WHERE ($1::date IS NULL OR d.local_date >= $1::date) AND ($2::date IS NULL OR d.local_date < $2::date)
   AND ($3::text IS NULL OR s.name = $3::text)
   AND ($4::uuid[] IS NULL OR EXISTS (
           SELECT FROM unnest($4::uuid[]) AS given (id)
            WHERE given.id >= uuid_floor(d.starts_at) AND given.id < uuid_floor(d.ends_at)))
   AND ($5::text IS NULL OR (d.site_id, d.local_date) IN (SELECT b.site_id, b.local_date FROM billed b))
 ORDER BY s.name COLLATE "C", d.local_date
