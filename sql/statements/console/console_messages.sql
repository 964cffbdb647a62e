-- The newest 200 messages to the systems of the site that $1 asks for. $2 is not used.
-- columns of console_row: row jsonb, cursor text
SELECT jsonb_build_object(
           'message_id', o.message_id, 'site', s.name, 'type', o.type, 'made_at', instant_text(o.made_at),
           'attempts', coalesce(a.attempts, 0), 'answer', coalesce(a.detail, ''),
           'state', CASE WHEN a.delivered THEN 'delivered' WHEN a.attempts > 0 THEN 'failing'
                         ELSE 'waiting' END) AS row,
       o.message_id AS cursor
  FROM outbox o JOIN site s USING (site_id) LEFT JOIN LATERAL (
      SELECT count(*) OVER () AS attempts, bool_or(status BETWEEN 200 AND 299) OVER () AS delivered, detail
        FROM outbox_attempt WHERE message_id = o.message_id ORDER BY attempt DESC LIMIT 1) AS a ON true
 WHERE ($1::jsonb ->> 'site' IS NULL OR s.name = $1::jsonb ->> 'site') AND $2::bigint IS NOT NULL
 ORDER BY o.made_at DESC, o.message_id LIMIT 200
