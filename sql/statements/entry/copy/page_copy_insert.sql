-- What payments $1, sorted, at sites $2 by crawlers $3 give: copies $4, whole ($6 is not 0) or not. One
-- repeats the newest payment with an id made at most $5 milliseconds before its own that was paid for the
-- same copy and delivered. By the ids alone, so that whoever has both can say the same; what was decided once
-- stays.
INSERT INTO page_copy (payment_id, site_id, crawler_id, copy, whole, repeats)
SELECT e.payment_id, e.site_id, e.crawler_id, e.copy, e.whole <> 0,
       (SELECT p.payment_id
          FROM page_copies(e.crawler_id, e.copy, uuid_floor(uuid_instant(e.payment_id)
                               - e.within_ms * interval '1 millisecond'),
                           'ffffffff-ffff-ffff-ffff-ffffffffffff') p
          JOIN LATERAL charge_of(p.payment_id) c ON c.crawler_id = p.crawler_id
         WHERE p.site_id = e.site_id AND p.payment_id <> e.payment_id AND c.amount_micros > 0
           AND NOT EXISTS (SELECT FROM undelivered u
                            WHERE u.payment_id = p.payment_id AND u.final_micros IS NULL)
         ORDER BY p.payment_id DESC LIMIT 1)
  FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[], $6::bigint[])
       AS e (payment_id, site_id, crawler_id, copy, within_ms, whole)
ON CONFLICT DO NOTHING
