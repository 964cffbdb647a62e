-- The newest $2 messages of site $1 (NULL: all sites), or message $3 alone.
-- columns: message_id text, site text, type text, made_ms bigint, attempts bigint null, status integer,
--   detail text, body text, delivered boolean
SELECT o.message_id, s.name AS site, o.type, instant_ms(o.made_at) AS made_ms, a.attempts, a.status, a.detail,
       o.body, a.delivered
  FROM outbox o JOIN site s USING (site_id) LEFT JOIN LATERAL (
      SELECT count(*) OVER () AS attempts, bool_or(status BETWEEN 200 AND 299) OVER () AS delivered, status,
             detail
        FROM outbox_attempt WHERE message_id = o.message_id ORDER BY attempt DESC LIMIT 1
  ) AS a ON true
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($3::text IS NULL OR o.message_id = $3::text)
 ORDER BY o.made_at DESC, o.message_id LIMIT $2::bigint
