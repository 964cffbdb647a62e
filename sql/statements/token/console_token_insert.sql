-- A key of the console called $1 in role $2, with hash $3, made at $4 by $6, until $5 (NULL: for ever), and
-- the operator's action. Outcome: made; taken (there is, or was, one of this name); or full (1000 are in
-- force).
-- columns of token_outcome: outcome text
WITH live AS (
    SELECT count(*) AS tokens FROM console_token t
     WHERE NOT EXISTS (SELECT FROM console_token_revocation r WHERE r.name = t.name)
       AND (t.expires_at IS NULL OR t.expires_at > instant($4::bigint))
), made AS (
    INSERT INTO console_token (name, role, digest, made_at, expires_at, actor)
    SELECT $1::text, $2::text, $3::bytea, instant($4::bigint), instant($5::bigint),
           $6::text || ' as ' || session_user
      FROM live WHERE tokens < 1000
    ON CONFLICT (name) DO NOTHING
    RETURNING name
), action AS (
    INSERT INTO operator_action (happened_at, actor, action, detail)
    SELECT instant($4::bigint), $6::text || ' as ' || session_user, 'token',
           format('made "%s" of the console, role %s', made.name, $2::text) FROM made
)
SELECT CASE WHEN EXISTS (SELECT FROM made) THEN 'made' WHEN live.tokens < 1000 THEN 'taken'
            ELSE 'full' END AS outcome
  FROM live
