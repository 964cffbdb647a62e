-- What was delivered for payment $1: first the answer with which the entry was made.
-- columns: repeated boolean, ended_ms bigint, ended text, status integer null, sent_bytes bigint null,
--   body_digest bytea null, client bytea null, user_agent text null
SELECT d.repeated, instant_ms(d.ended_at) AS ended_ms, d.ended, d.status, d.sent_bytes, d.body_digest,
       d.client, d.user_agent
  FROM delivery d WHERE d.payment_id = $1::uuid ORDER BY d.repeated
