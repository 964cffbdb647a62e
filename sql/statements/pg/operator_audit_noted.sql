-- Whether the deed $1 has the note that an audit will compare it with.
-- columns: noted boolean
SELECT EXISTS (SELECT FROM operator_action o
                 JOIN fact f ON f.source = 'operator_action' AND f.key = o.action_id::text
                WHERE o.action_id = $1::bigint
                  AND f.digest = fact_digest('operator_action', f.key, to_jsonb(o))) AS noted
