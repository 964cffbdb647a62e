-- Messages to the systems of the site that $1 asks for, the newest first; below the one that "after" names,
-- "limit" and one more. $2 is not used.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT (SELECT site_id FROM site WHERE name = q ->> 'site') AS site_id, q ->> 'site' AS site,
           (q ->> 'limit')::bigint + 1 AS room,
           coalesce((q -> 'after' ->> 0)::timestamptz, 'infinity') AS after_at, q -> 'after' ->> 1 AS after_id
      FROM (SELECT $1::jsonb AS q) AS given WHERE $2::bigint IS NOT NULL
)
SELECT jsonb_build_object(
           'message_id', o.message_id, 'site', s.name, 'type', o.type, 'made_at', instant_text(o.made_at),
           'attempts', coalesce(t.attempts, 0), 'answer', coalesce(t.detail, ''),
           'state', CASE WHEN t.delivered THEN 'delivered' WHEN t.attempts > 0 THEN 'failing'
                         ELSE 'waiting' END) AS row,
       jsonb_build_array(o.made_at, o.message_id)::text AS cursor
  FROM asked a
 CROSS JOIN LATERAL (
       SELECT * FROM outbox o
        WHERE (o.made_at, o.message_id) < (a.after_at, coalesce(a.after_id, ''))
          AND (a.site IS NULL OR o.site_id = a.site_id)
        ORDER BY o.made_at DESC, o.message_id DESC LIMIT a.room) AS o
  JOIN site s ON s.site_id = o.site_id
  LEFT JOIN LATERAL (
      SELECT count(*) OVER () AS attempts, bool_or(status BETWEEN 200 AND 299) OVER () AS delivered, detail
        FROM outbox_attempt WHERE message_id = o.message_id ORDER BY attempt DESC LIMIT 1) AS t ON true
 ORDER BY o.made_at DESC, o.message_id DESC
