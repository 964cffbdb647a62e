-- The keys of the console that were not revoked, nor have expired at $1, no more than can be made.
-- columns: name text, role text, digest bytea, expires_ms bigint null
SELECT t.name, t.role, t.digest, instant_ms(t.expires_at) AS expires_ms
  FROM console_token t
 WHERE NOT EXISTS (SELECT FROM console_token_revocation r WHERE r.name = t.name)
   AND (t.expires_at IS NULL OR t.expires_at > instant($1::bigint))
 ORDER BY t.name LIMIT 1000
