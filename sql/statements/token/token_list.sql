-- Every key ever made, or those of site $1, with what became of it at $2.
-- columns: site text, name text, role text, made_ms bigint, expires_ms bigint null, revoked_ms bigint null,
--   actor text, state text
SELECT s.name AS site, t.name, t.role, instant_ms(t.made_at) AS made_ms,
       instant_ms(t.expires_at) AS expires_ms, instant_ms(r.revoked_at) AS revoked_ms, t.actor,
       CASE WHEN r.name IS NOT NULL THEN 'revoked' WHEN t.expires_at <= instant($2::bigint) THEN 'expired'
            ELSE 'in force' END AS state
  FROM token t JOIN site s USING (site_id)
  LEFT JOIN token_revocation r ON r.site_id = t.site_id AND r.name = t.name
 WHERE $1::text IS NULL OR s.name = $1::text
 ORDER BY s.name, t.made_at, t.name
