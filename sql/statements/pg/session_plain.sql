-- Until the end of the transaction PostgreSQL says rows, constraints, functions and views in one way,
-- whatever was set for the database or the role.
SELECT set_config('TimeZone', 'UTC', true), set_config('DateStyle', 'ISO, MDY', true),
       set_config('IntervalStyle', 'postgres', true), set_config('bytea_output', 'hex', true),
       set_config('search_path', 'public', true), set_config('quote_all_identifiers', 'off', true)
