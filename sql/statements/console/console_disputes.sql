-- Disputes of the site, crawler and status that $1 asks for ("open", "overdue" or an event): those that are
-- open by their deadline, then the others, the newest first; behind the one that "after" names (an open one
-- by deadline and id, another by its id), "limit" and one more. Each branch reads its own index, and the
-- second nothing while there are open ones. $2 is the clock.
-- columns of console_row: row jsonb, cursor text
WITH asked AS (
    SELECT (SELECT site_id FROM site WHERE name = q ->> 'site') AS site_id, q ->> 'site' AS site,
           (SELECT crawler_id FROM crawler WHERE agent = q ->> 'crawler') AS crawler_id,
           q ->> 'crawler' AS agent, q ->> 'status' AS status, (q ->> 'limit')::bigint + 1 AS room,
           coalesce(jsonb_array_length(q -> 'after') = 1, false) AS decided,
           CASE jsonb_array_length(q -> 'after')
                WHEN 2 THEN (q -> 'after' ->> 0)::timestamptz ELSE '-infinity' END AS after_due,
           CASE jsonb_array_length(q -> 'after')
                WHEN 2 THEN (q -> 'after' ->> 1)::uuid
                ELSE '00000000-0000-0000-0000-000000000000' END AS after_id,
           CASE jsonb_array_length(q -> 'after')
                WHEN 1 THEN (q -> 'after' ->> 0)::uuid
                ELSE 'ffffffff-ffff-ffff-ffff-ffffffffffff' END AS below
      FROM (SELECT $1::jsonb AS q) AS given
), listed AS (
    (SELECT x.*, jsonb_build_array(x.due_at, x.dispute_id)::text AS cursor
       FROM asked a
      CROSS JOIN LATERAL (
            SELECT d.dispute_id, d.site_id, d.crawler_id, d.opened_by, d.reason, d.opened_at, d.due_at
              FROM dispute d
             WHERE NOT EXISTS (SELECT FROM dispute_event e
                                WHERE e.dispute_id = d.dispute_id
                                  AND e.event IN ('upheld', 'part_upheld', 'rejected'))
               AND (d.due_at, d.dispute_id) > (a.after_due, a.after_id)
               AND (a.site IS NULL OR d.site_id = a.site_id)
               AND (a.agent IS NULL OR d.crawler_id = a.crawler_id)
               AND (a.status IS DISTINCT FROM 'overdue' OR d.due_at < instant($2::bigint))
               AND CASE WHEN a.status IN ('opened', 'referred')
                        THEN a.status = (SELECT e.event FROM dispute_event e
                                          WHERE e.dispute_id = d.dispute_id ORDER BY e.step DESC LIMIT 1)
                        ELSE true END
             ORDER BY d.due_at, d.dispute_id LIMIT a.room) AS x
      WHERE NOT a.decided AND (a.status IS NULL OR a.status IN ('open', 'overdue', 'opened', 'referred')))
    UNION ALL
    (SELECT x.*, jsonb_build_array(x.dispute_id)::text
       FROM asked a
      CROSS JOIN LATERAL (
            SELECT d.dispute_id, d.site_id, d.crawler_id, d.opened_by, d.reason, d.opened_at, d.due_at
              FROM dispute_event e JOIN dispute d USING (dispute_id)
             WHERE e.event IN ('upheld', 'part_upheld', 'rejected')
               AND (a.status IS NULL OR e.event = a.status)
               AND e.dispute_id < a.below AND d.dispute_id < a.below
               AND (a.site IS NULL OR d.site_id = a.site_id)
               AND (a.agent IS NULL OR d.crawler_id = a.crawler_id)
             ORDER BY e.dispute_id DESC LIMIT a.room) AS x
      WHERE a.status IS NULL OR a.status IN ('upheld', 'part_upheld', 'rejected'))
    LIMIT (SELECT room FROM asked)
)
SELECT jsonb_build_object(
           'dispute_id', l.dispute_id, 'site', s.name, 'crawler', k.agent, 'opened_by', l.opened_by,
           'reason', l.reason, 'opened_at', instant_text(l.opened_at), 'due_at', instant_text(l.due_at),
           'status', CASE WHEN t.open AND l.due_at < instant($2::bigint)
                          THEN 'overdue' ELSE t.status END,
           'claimed_micros', t.claimed_micros, 'upheld_micros', t.upheld_micros,
           'currency', s.currency) AS row,
       l.cursor
  FROM (SELECT *, row_number() OVER () AS place FROM listed) AS l
 CROSS JOIN LATERAL (SELECT * FROM dispute_state w WHERE w.dispute_id = l.dispute_id) AS t
 CROSS JOIN LATERAL (SELECT name, currency FROM site w WHERE w.site_id = l.site_id) AS s
 CROSS JOIN LATERAL (SELECT agent FROM crawler w WHERE w.crawler_id = l.crawler_id) AS k
 ORDER BY l.place
