-- The stored side of ids that charge_insert did not insert.
SELECT payment_id, site_id, crawler_id, amount_micros, resource, instant_ms(recorded_at)
  FROM charge WHERE payment_id = ANY ($1::uuid[])
