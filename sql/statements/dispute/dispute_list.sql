-- Disputes at site $1 (NULL: all), of crawler account $2 (NULL: all) and status $3 ("open", "overdue" or an
-- event; NULL: all), newest first; $4 is the clock.
-- columns: dispute_id uuid, site text, agent text, opened_by text, reason text, opened_ms bigint,
--   due_ms bigint, status text, open boolean, overdue boolean, claimed_micros bigint, upheld_micros bigint,
--   currency text, subjects bigint
SELECT d.dispute_id, s.name AS site, k.agent, d.opened_by, d.reason, instant_ms(d.opened_at) AS opened_ms,
       instant_ms(d.due_at) AS due_ms, t.status, t.open,
       t.open AND d.due_at < instant($4::bigint) AS overdue, t.claimed_micros, t.upheld_micros, s.currency,
       (SELECT count(*) FROM dispute_subject u WHERE u.dispute_id = d.dispute_id) AS subjects
  FROM dispute d JOIN dispute_state t USING (dispute_id) JOIN site s ON s.site_id = d.site_id
  JOIN crawler k ON k.crawler_id = d.crawler_id
 WHERE ($1::text IS NULL OR s.name = $1::text) AND ($2::text IS NULL OR k.agent = $2::text)
   AND ($3::text IS NULL OR t.status = $3::text OR $3::text = 'open' AND t.open
        OR $3::text = 'overdue' AND t.open AND d.due_at < instant($4::bigint))
 ORDER BY d.dispute_id DESC
