-- What happened to invoices of site $1 after $2 and is in no message yet, oldest first. The message's id is
-- a digest of the event's key.
-- columns: message_id text, number text, event text, happened_ms bigint
WITH event AS (
    SELECT e.*, 'evt_' || left(encode(sha256(convert_to(
               e.site_id || '/' || e.number || '/' || e.step, 'UTF8')), 'hex'), 32) AS message_id
      FROM invoice_event e WHERE e.site_id = $1::bigint AND e.happened_at >= instant($2::bigint)
)
SELECT message_id, number, event, instant_ms(happened_at) AS happened_ms
  FROM event WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.message_id = event.message_id)
 ORDER BY happened_at, number, step LIMIT 1000
