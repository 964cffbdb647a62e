-- Revokes the key $1 of the console at $2 by $3, and notes the operator's action. Outcome: revoked; known (it
-- was before); or none (there is no such key).
-- columns of token_outcome: outcome text
WITH revoked AS (
    INSERT INTO console_token_revocation (name, revoked_at, actor)
    SELECT t.name, instant($2::bigint), $3::text || ' as ' || session_user
      FROM console_token t WHERE t.name = $1::text
    ON CONFLICT (name) DO NOTHING
    RETURNING name
), action AS (
    INSERT INTO operator_action (happened_at, actor, action, detail)
    SELECT instant($2::bigint), $3::text || ' as ' || session_user, 'token',
           format('revoked "%s" of the console', revoked.name) FROM revoked
)
SELECT CASE WHEN EXISTS (SELECT FROM revoked) THEN 'revoked'
            WHEN EXISTS (SELECT FROM console_token t WHERE t.name = $1::text) THEN 'known'
            ELSE 'none' END AS outcome
