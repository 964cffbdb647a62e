-- Entries of site $1 for URL $2 whose ids are of the hour around instant $3, by crawler $4 unless that is 0:
-- the nearest first, and one more than are listed.
-- columns: payment_id uuid, agent text, amount_micros bigint, offered_ms bigint
SELECT c.payment_id, k.agent, c.amount_micros, instant_ms(uuid_instant(c.payment_id)) AS offered_ms
  FROM charge c JOIN crawler k USING (crawler_id)
 WHERE c.site_id = $1::bigint AND c.resource = $2::text
   AND c.payment_id >= uuid_floor(instant($3::bigint - 1800000))
   AND c.payment_id < uuid_floor(instant($3::bigint + 1800000))
   AND ($4::bigint = 0 OR c.crawler_id = $4::bigint)
 ORDER BY abs(instant_ms(uuid_instant(c.payment_id)) - $3::bigint), c.payment_id LIMIT 21
