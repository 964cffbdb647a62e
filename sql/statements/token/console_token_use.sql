-- Notes that the key $1 of the console was used at $2, if it was not within the hour before.
INSERT INTO console_token_use (name, used_at)
SELECT $1::text, instant($2::bigint)
 WHERE NOT EXISTS (SELECT FROM console_token_use
                    WHERE name = $1::text AND used_at > instant($2::bigint) - interval '1 hour')
ON CONFLICT (name, used_at) DO NOTHING
