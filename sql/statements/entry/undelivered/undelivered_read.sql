-- What is recorded of a page that was not delivered whole.
-- columns: status integer, sent_bytes bigint, length_bytes bigint null, told_by text, recorded_ms bigint
SELECT status, sent_bytes, length_bytes, told_by, instant_ms(recorded_at) AS recorded_ms
  FROM undelivered WHERE payment_id = $1::uuid
