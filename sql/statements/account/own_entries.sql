-- Entries of site $1 and crawler $2 with ids above $3 and below $4, $5 at most. unproven: why it is not
-- billed. undelivered: the page did not arrive whole, so that it is taken back. final_micros: what is billed
-- of it instead of its amount. delivered: how the answer ended, as it is recorded; whole if it was given once
-- more.
-- columns: payment_id uuid, recorded_ms bigint, amount_micros bigint, rule text, resource text,
--   thumbprint bytea, unproven text null, undelivered boolean, final_micros bigint null,
--   delivered text null
SELECT c.payment_id, instant_ms(c.recorded_at) AS recorded_ms, c.amount_micros, c.rule, c.resource,
       c.thumbprint, u.reason AS unproven, n.payment_id IS NOT NULL AND n.final_micros IS NULL AS undelivered,
       n.final_micros,
       (SELECT d.ended FROM delivery d WHERE d.payment_id = c.payment_id
            AND d.payment_id > $3::uuid AND d.payment_id < $4::uuid ORDER BY d.repeated DESC LIMIT 1)
           AS delivered
  FROM (SELECT * FROM charge
         WHERE payment_id > $3::uuid AND payment_id < $4::uuid AND site_id = $1::bigint
           AND crawler_id = $2::bigint
         ORDER BY payment_id LIMIT $5::bigint) AS c
  LEFT JOIN unproven u ON u.payment_id = c.payment_id
  LEFT JOIN undelivered n ON n.payment_id = c.payment_id
 ORDER BY c.payment_id
