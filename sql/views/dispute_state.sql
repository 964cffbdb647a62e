CREATE OR REPLACE VIEW dispute_state AS
SELECT d.dispute_id, d.site_id, d.crawler_id, e.event AS status, e.event IN ('opened', 'referred') AS open,
       e.happened_at AS status_at, coalesce(u.upheld_micros, 0) AS upheld_micros,
       coalesce(c.claimed_micros, 0) AS claimed_micros
  FROM dispute d
 CROSS JOIN LATERAL (SELECT v.event, v.happened_at FROM dispute_event v
                      WHERE v.dispute_id = d.dispute_id ORDER BY v.step DESC LIMIT 1) AS e
 CROSS JOIN LATERAL (SELECT sum(f.amount_micros)::bigint AS upheld_micros FROM dispute_finding f
                      WHERE f.dispute_id = d.dispute_id) AS u
 CROSS JOIN LATERAL (SELECT sum(s.amount_micros)::bigint AS claimed_micros FROM dispute_subject s
                      WHERE s.dispute_id = d.dispute_id) AS c;
COMMENT ON VIEW dispute_state IS 'What has become of each dispute: its last event, whether it is open, and
what was given back of what is disputed.';
