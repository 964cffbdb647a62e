-- The keys that were not revoked, nor have expired at $1, for gates. No more than can be made (token_insert).
-- columns: site text, name text, role text, digest bytea, expires_ms bigint null
SELECT s.name AS site, t.name, t.role, t.digest, instant_ms(t.expires_at) AS expires_ms
  FROM token t JOIN site s USING (site_id)
 WHERE NOT EXISTS (SELECT FROM token_revocation r WHERE r.site_id = t.site_id AND r.name = t.name)
   AND (t.expires_at IS NULL OR t.expires_at > instant($1::bigint))
 ORDER BY s.name, t.name LIMIT 1000
