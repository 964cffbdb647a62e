-- One batch of what was delivered, once however often it is sent. What belongs to a day that is sealed is too
-- late. Numbers below zero, and empty texts, are not known.
-- columns: written bigint
WITH told AS (
    SELECT t.payment_id, t.repeated = 1 AS repeated, s.site_id, instant(t.ended_ms) AS ended_at, t.ended,
           CASE WHEN t.status > 0 THEN t.status::integer END AS status,
           CASE WHEN t.sent_bytes >= 0 THEN t.sent_bytes END AS sent_bytes,
           nullif(t.body_digest, '') AS body_digest, nullif(t.client, '') AS client,
           nullif(t.user_agent, '') AS user_agent
      FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bigint[],
                  $7::bigint[], $8::bytea[], $9::bytea[], $10::text[])
           AS t (payment_id, repeated, site, ended_ms, ended, status, sent_bytes, body_digest, client,
                 user_agent)
      JOIN site s ON s.name = t.site
), made AS (
    INSERT INTO delivery (payment_id, repeated, site_id, ended_at, ended, status, sent_bytes, body_digest,
                          client, user_agent)
    SELECT t.* FROM told t
     WHERE t.payment_id >= coalesce((SELECT d.end_id FROM day_seal d WHERE d.site_id = t.site_id
                                      ORDER BY d.end_id DESC LIMIT 1),
                                    '00000000-0000-0000-0000-000000000000')
        ON CONFLICT DO NOTHING
    RETURNING 1
)
SELECT count(*) AS written FROM made
