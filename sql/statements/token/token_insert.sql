-- A key called $2 of site $1, in role $3, with hash $4, made at $5 by $7, until $6 (NULL: for ever), and the
-- operator's action. Outcome: made; taken (there is, or was, one of this name); or full (gates read no more
-- than 1000 that are in force).
-- columns: outcome text
WITH live AS (
    SELECT count(*) AS tokens FROM token t
     WHERE NOT EXISTS (SELECT FROM token_revocation r WHERE r.site_id = t.site_id AND r.name = t.name)
       AND (t.expires_at IS NULL OR t.expires_at > instant($5::bigint))
), made AS (
    INSERT INTO token (site_id, name, role, digest, made_at, expires_at, actor)
    SELECT $1::bigint, $2::text, $3::text, $4::bytea, instant($5::bigint), instant($6::bigint),
           $7::text || ' as ' || session_user
      FROM live WHERE tokens < 1000
    ON CONFLICT (site_id, name) DO NOTHING
    RETURNING name
), action AS (
    INSERT INTO operator_action (happened_at, actor, action, detail)
    SELECT instant($5::bigint), $7::text || ' as ' || session_user, 'token',
           format('made "%s" of site "%s", role %s', made.name, s.name, $3::text)
      FROM made, site s WHERE s.site_id = $1::bigint
)
SELECT CASE WHEN EXISTS (SELECT FROM made) THEN 'made' WHEN live.tokens < 1000 THEN 'taken'
            ELSE 'full' END AS outcome
  FROM live
