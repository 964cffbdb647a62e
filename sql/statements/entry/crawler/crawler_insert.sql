INSERT INTO crawler (agent, first_seen_at) VALUES ($1::text, instant($2::bigint)) ON CONFLICT DO NOTHING
