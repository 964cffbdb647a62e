INSERT INTO operator_action (happened_at, actor, action, detail)
VALUES (instant($1::bigint), $2::text || ' as ' || session_user, $3::text, $4::text)
