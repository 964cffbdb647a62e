-- What writers added in quarters from $1 on, since the batches $4 of writers $3 in quarters $2: by quarter
-- and writer with the number of its last batch there, site, crawler and billing day. Steps through the index
-- from one writer of a quarter to the next, and from each of them to its new rows: what was read before is
-- not looked at again.
-- columns: quarter bigint, writer_id uuid, sequence bigint, site text, agent text, day_ms bigint,
--   amount_micros bigint
WITH RECURSIVE source AS (
    (SELECT quarter, writer_id FROM spend WHERE quarter >= $1::bigint ORDER BY quarter, writer_id LIMIT 1)
    UNION ALL
    SELECT following.quarter, following.writer_id
      FROM source p
     CROSS JOIN LATERAL (SELECT quarter, writer_id FROM spend n
                          WHERE (n.quarter, n.writer_id) > (p.quarter, p.writer_id)
                          ORDER BY quarter, writer_id LIMIT 1) AS following
), news AS (
    SELECT source.quarter, source.writer_id, fresh.site_id, fresh.crawler_id, fresh.sequence,
           fresh.amount_micros
      FROM source
      LEFT JOIN unnest($2::bigint[], $3::uuid[], $4::bigint[]) AS mark (quarter, writer_id, sequence)
           USING (quarter, writer_id)
     CROSS JOIN LATERAL (SELECT site_id, crawler_id, max(sequence) AS sequence,
                                sum(amount_micros)::bigint AS amount_micros
                           FROM spend n
                          WHERE n.quarter = source.quarter AND n.writer_id = source.writer_id
                            AND n.sequence > coalesce(mark.sequence, 0)
                          GROUP BY site_id, crawler_id) AS fresh
)
SELECT n.quarter, n.writer_id, n.sequence, s.name AS site, k.agent,
       instant_ms(coalesce(d.starts_at, quarter_start(n.quarter))) AS day_ms, n.amount_micros
  FROM news n
  JOIN site s USING (site_id)
  JOIN crawler k USING (crawler_id)
  LEFT JOIN LATERAL (SELECT p.starts_at FROM day p
                      WHERE p.site_id = n.site_id AND p.ends_at > quarter_start(n.quarter)
                      ORDER BY p.ends_at LIMIT 1) AS d ON d.starts_at <= quarter_start(n.quarter)
