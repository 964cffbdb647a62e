-- What is recorded of a page that was not delivered whole, or is billed at a final amount.
-- columns: status integer, sent_bytes bigint, length_bytes bigint null, told_by text, recorded_ms bigint,
--   final_micros bigint null
SELECT status, sent_bytes, length_bytes, told_by, instant_ms(recorded_at) AS recorded_ms, final_micros
  FROM undelivered WHERE payment_id = $1::uuid
