-- The newest audit of all sites or of one: when it was, and what came of it. days: how many days are closed.
-- columns: happened_ms bigint null, detail text null, days bigint
SELECT instant_ms(o.happened_at) AS happened_ms, o.detail, c.days
  FROM (SELECT count(*) AS days FROM day_close) AS c
  LEFT JOIN LATERAL (SELECT * FROM operator_action a WHERE a.action = 'audit'
                      ORDER BY a.action_id DESC LIMIT 1) AS o ON true
