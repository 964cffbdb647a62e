-- Every session: results do not depend on the server's or the role's settings, nor does durability: a
-- receipt is sent only for what is on disk (promise P1). $1: milliseconds, 0 for none.
SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO, YMD', false),
       set_config('bytea_output', 'hex', false), set_config('search_path', 'public', false),
       set_config('default_transaction_isolation', 'read committed', false),
       set_config('synchronous_commit', 'on', false),
       set_config('statement_timeout', $1, false)
