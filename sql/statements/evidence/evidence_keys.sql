-- The keys by which entries of site $1 with ids from $2 to before $3 were signed, as the ledger has them,
-- and the newest bodies of directories in which each was found before the range's end, with a day for clocks
-- that were set back, newest first; in the
-- order of crawlers and thumbprints, for pg_stream. A key that is in no body has one row; one that the
-- ledger does not have has an empty public_key.
-- columns: crawler_id bigint, thumbprint bytea, agent text, public_key text, relied_ms timestamptz,
--   url text, body bytea
DECLARE stream NO SCROLL CURSOR FOR
WITH used AS (
    SELECT DISTINCT c.crawler_id, c.thumbprint FROM charge c
     WHERE c.site_id = $1::bigint AND c.payment_id >= $2::uuid AND c.payment_id < $3::uuid
)
SELECT u.crawler_id, u.thumbprint, k.agent, p.public_key, s.first_relied_at AS relied_ms, s.url, b.body
  FROM used u
  LEFT JOIN crawler k USING (crawler_id)
  LEFT JOIN crawler_key p USING (crawler_id, thumbprint)
  LEFT JOIN LATERAL (SELECT * FROM crawler_key_source r
                      WHERE r.crawler_id = u.crawler_id AND r.thumbprint = u.thumbprint
                        AND r.first_relied_at < uuid_instant($3::uuid) + interval '1 day'
                      ORDER BY r.first_relied_at DESC LIMIT 16) AS s ON true
  LEFT JOIN directory_snapshot b ON b.url = s.url AND b.body_digest = s.body_digest
 ORDER BY u.crawler_id, u.thumbprint, s.first_relied_at DESC
