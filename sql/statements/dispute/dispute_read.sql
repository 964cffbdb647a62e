-- What has become of dispute $1, and who may be heard: its site and crawler.
-- columns: site_id bigint, site text, crawler_id bigint, agent text, status text, open boolean,
--   opened_ms bigint, reason text, last_step integer
SELECT d.site_id, s.name AS site, d.crawler_id, k.agent, t.status, t.open,
       instant_ms(d.opened_at) AS opened_ms, d.reason,
       (SELECT max(e.step) FROM dispute_event e WHERE e.dispute_id = d.dispute_id) AS last_step
  FROM dispute d JOIN dispute_state t USING (dispute_id) JOIN site s ON s.site_id = d.site_id
  JOIN crawler k ON k.crawler_id = d.crawler_id
 WHERE d.dispute_id = $1::uuid
