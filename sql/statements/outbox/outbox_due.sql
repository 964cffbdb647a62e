-- Messages of site $1 that nobody has taken yet, oldest first, with the failures so far and the last one's
-- time; the program decides whose turn it is. $2: only messages made after it.
-- columns: message_id text, type text, body text, failures integer, last_ms bigint
SELECT o.message_id, o.type, o.body, coalesce(a.attempts, 0) AS failures,
       coalesce(instant_ms(a.last_at), 0) AS last_ms
  FROM outbox o LEFT JOIN LATERAL (
      SELECT max(attempt) AS attempts, max(happened_at) AS last_at,
             bool_or(status BETWEEN 200 AND 299) AS delivered
        FROM outbox_attempt WHERE message_id = o.message_id
  ) AS a ON true
 WHERE o.site_id = $1::bigint AND o.made_at >= instant($2::bigint) AND a.delivered IS NOT TRUE
 ORDER BY o.made_at, o.message_id
