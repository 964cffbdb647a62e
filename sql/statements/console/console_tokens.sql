-- Every key of the console ever made, with what became of it at $2. $1 is not used.
-- columns of console_row: row jsonb, cursor text
SELECT jsonb_build_object(
           'name', t.name, 'role', t.role, 'made_at', instant_text(t.made_at),
           'expires_at', instant_text(t.expires_at), 'last_used', instant_text(u.used_at), 'actor', t.actor,
           'state', CASE WHEN r.name IS NOT NULL THEN 'revoked'
                         WHEN t.expires_at <= instant($2::bigint) THEN 'expired' ELSE 'in force' END) AS row,
       t.name AS cursor
  FROM console_token t
  LEFT JOIN console_token_revocation r USING (name)
  LEFT JOIN LATERAL (SELECT used_at FROM console_token_use WHERE name = t.name
                      ORDER BY used_at DESC LIMIT 1) AS u ON true
 WHERE $1::jsonb IS NOT NULL
 ORDER BY t.made_at DESC, t.name LIMIT 20000
