-- The next attempt of message $1. Of two runs that send it at the same time one is recorded.
INSERT INTO outbox_attempt (message_id, attempt, happened_at, status, detail)
SELECT $1::text, coalesce(max(attempt), 0) + 1, instant($2::bigint), $3::integer, $4::text
  FROM outbox_attempt WHERE message_id = $1::text ON CONFLICT DO NOTHING
