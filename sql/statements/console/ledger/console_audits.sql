-- Audits of the days (UTC) that $1 asks for, the newest first; below the one that "after" names, "limit" and
-- one more. $2 is not used.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT coalesce((q ->> 'from')::date, '-infinity') AS first,
           coalesce((q ->> 'to')::date, 'infinity') AS last, (q ->> 'limit')::bigint + 1 AS room,
           coalesce((q -> 'after' ->> 0)::bigint, 9223372036854775807) AS below
      FROM (SELECT $1::jsonb AS q) AS given WHERE $2::bigint IS NOT NULL
)
SELECT jsonb_build_object('at', instant_text(o.happened_at), 'actor', o.actor, 'detail', o.detail) AS row,
       jsonb_build_array(o.action_id)::text AS cursor
  FROM asked a
 CROSS JOIN LATERAL (
       SELECT * FROM operator_action o
        WHERE o.action_id < a.below AND o.action = 'audit'
          AND (o.happened_at AT TIME ZONE 'UTC')::date >= a.first
          AND (o.happened_at AT TIME ZONE 'UTC')::date <= a.last
        ORDER BY o.action_id DESC LIMIT a.room) AS o
 ORDER BY o.action_id DESC
