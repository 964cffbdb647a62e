-- Disputes of the site, crawler and status that $1 asks for ("open", "overdue" or an event): those that are
-- open by their deadline, then the others, the newest first. $2 is the clock.
-- columns of console_row: row jsonb, cursor text
SELECT jsonb_build_object(
           'dispute_id', d.dispute_id, 'site', s.name, 'crawler', k.agent, 'opened_by', d.opened_by,
           'reason', d.reason, 'opened_at', instant_text(d.opened_at), 'due_at', instant_text(d.due_at),
           'status', CASE WHEN t.open AND d.due_at < instant($2::bigint)
                          THEN 'overdue' ELSE t.status END,
           'claimed_micros', t.claimed_micros, 'upheld_micros', t.upheld_micros,
           'currency', s.currency) AS row,
       d.dispute_id::text AS cursor
  FROM dispute d JOIN dispute_state t USING (dispute_id) JOIN site s ON s.site_id = d.site_id
  JOIN crawler k ON k.crawler_id = d.crawler_id
 WHERE ($1::jsonb ->> 'site' IS NULL OR s.name = $1::jsonb ->> 'site')
   AND ($1::jsonb ->> 'crawler' IS NULL OR k.agent = $1::jsonb ->> 'crawler')
   AND ($1::jsonb ->> 'status' IS NULL OR t.status = $1::jsonb ->> 'status'
        OR $1::jsonb ->> 'status' = 'open' AND t.open
        OR $1::jsonb ->> 'status' = 'overdue' AND t.open AND d.due_at < instant($2::bigint))
 ORDER BY t.open DESC, CASE WHEN t.open THEN d.due_at END, d.dispute_id DESC LIMIT 20000
