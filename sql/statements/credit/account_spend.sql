-- What writers added since the batches $3 of writers $2, from quarter $1 on: by writer with the number of its
-- last batch, site, crawler and billing day. Steps through the index from one writer of a quarter to the
-- next, and from each of them to its new rows: what was read before is not looked at again.
-- columns: writer_id uuid, sequence bigint, site text, agent text, day_ms bigint, amount_micros bigint
WITH RECURSIVE source AS (
    (SELECT quarter, writer_id FROM spend WHERE quarter >= $1::bigint ORDER BY quarter, writer_id LIMIT 1)
    UNION ALL
    SELECT following.quarter, following.writer_id
      FROM source p
     CROSS JOIN LATERAL (SELECT quarter, writer_id FROM spend n
                          WHERE (n.quarter, n.writer_id) > (p.quarter, p.writer_id)
                          ORDER BY quarter, writer_id LIMIT 1) AS following
), news AS (
    SELECT source.writer_id, source.quarter, fresh.site_id, fresh.crawler_id, fresh.sequence,
           fresh.amount_micros
      FROM source
      LEFT JOIN unnest($2::uuid[], $3::bigint[]) AS mark (writer_id, sequence) USING (writer_id)
     CROSS JOIN LATERAL (SELECT site_id, crawler_id, max(sequence) AS sequence,
                                sum(amount_micros) AS amount_micros
                           FROM spend n
                          WHERE n.quarter = source.quarter AND n.writer_id = source.writer_id
                            AND n.sequence > coalesce(mark.sequence, 0)
                          GROUP BY site_id, crawler_id) AS fresh
)
SELECT n.writer_id, max(n.sequence) AS sequence, s.name AS site, k.agent,
       instant_ms(coalesce(d.starts_at, quarter_start(n.quarter))) AS day_ms,
       sum(n.amount_micros)::bigint AS amount_micros
  FROM news n
  JOIN site s USING (site_id)
  JOIN crawler k USING (crawler_id)
  LEFT JOIN day d ON d.site_id = n.site_id AND d.starts_at <= quarter_start(n.quarter)
                 AND d.ends_at > quarter_start(n.quarter)
 GROUP BY n.writer_id, s.name, k.agent, day_ms
