-- Every key of the console ever made, with what became of it at $1.
-- columns: name text, role text, made_ms bigint, expires_ms bigint null, revoked_ms bigint null,
--   used_ms bigint null, actor text, state text
SELECT t.name, t.role, instant_ms(t.made_at) AS made_ms, instant_ms(t.expires_at) AS expires_ms,
       instant_ms(r.revoked_at) AS revoked_ms, instant_ms(u.used_at) AS used_ms, t.actor,
       CASE WHEN r.name IS NOT NULL THEN 'revoked' WHEN t.expires_at <= instant($1::bigint) THEN 'expired'
            ELSE 'in force' END AS state
  FROM console_token t
  LEFT JOIN console_token_revocation r USING (name)
  LEFT JOIN LATERAL (SELECT used_at FROM console_token_use WHERE name = t.name
                      ORDER BY used_at DESC LIMIT 1) AS u ON true
 ORDER BY t.made_at, t.name
