-- Records an audit at $1 by $2: what came of it is $3.
-- columns: action_id bigint
INSERT INTO operator_action (happened_at, actor, action, detail)
VALUES (instant($1::bigint), $2::text || ' as ' || session_user, 'audit', $3::text)
RETURNING action_id
