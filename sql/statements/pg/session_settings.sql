-- Every session, or every transaction behind a pooler ($2): results do not depend on the server's or the
-- role's settings, nor does durability: a receipt is sent only for what is on disk (promise P1).
-- $1: milliseconds, 0 for none. The process tells whether the session has a server process of its own.
-- columns: pid integer, settings text
SELECT pg_backend_pid() AS pid,
       concat_ws(' ', set_config('TimeZone', 'UTC', $2::boolean),
                 set_config('DateStyle', 'ISO, YMD', $2::boolean),
                 set_config('bytea_output', 'hex', $2::boolean),
                 set_config('search_path', 'public', $2::boolean),
                 set_config('default_transaction_isolation', 'read committed', $2::boolean),
                 set_config('synchronous_commit', 'on', $2::boolean),
                 set_config('statement_timeout', $1, $2::boolean),
                 set_config('jit', 'off', $2::boolean)) AS settings
