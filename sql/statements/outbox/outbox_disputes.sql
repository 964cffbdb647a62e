-- What happened to disputes of site $1 after $2 and is in no message yet, oldest first, with the dispute as
-- it is now. The message's id is a digest of the event's key.
-- columns: message_id text, event text, happened_ms bigint, document jsonb
WITH event AS (
    SELECT e.*, 'dsp_' || left(encode(sha256(convert_to(
               e.dispute_id || '/' || e.step, 'UTF8')), 'hex'), 32) AS message_id
      FROM dispute_event e WHERE e.site_id = $1::bigint AND e.happened_at >= instant($2::bigint)
)
SELECT message_id, event, instant_ms(happened_at) AS happened_ms, dispute_document(dispute_id) AS document
  FROM event WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.message_id = event.message_id)
 ORDER BY happened_at, dispute_id, step LIMIT 100
