-- Revokes the key $2 of site $1 at $3 by $4, and notes the operator's action. Outcome: revoked; known (it was
-- before); or none (there is no such key).
-- columns: outcome text
WITH revoked AS (
    INSERT INTO token_revocation (site_id, name, revoked_at, actor)
    SELECT t.site_id, t.name, instant($3::bigint), $4::text || ' as ' || session_user
      FROM token t WHERE t.site_id = $1::bigint AND t.name = $2::text
    ON CONFLICT (site_id, name) DO NOTHING
    RETURNING name
), action AS (
    INSERT INTO operator_action (happened_at, actor, action, detail)
    SELECT instant($3::bigint), $4::text || ' as ' || session_user, 'token',
           format('revoked "%s" of site "%s"', revoked.name, s.name)
      FROM revoked, site s WHERE s.site_id = $1::bigint
)
SELECT CASE WHEN EXISTS (SELECT FROM revoked) THEN 'revoked'
            WHEN EXISTS (SELECT FROM token t WHERE t.site_id = $1::bigint AND t.name = $2::text) THEN 'known'
            ELSE 'none' END AS outcome
