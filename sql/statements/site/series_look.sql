-- Whether whoever asks may take the guard of site $1's days (series_lock), and whether somebody has it now or
-- had one just before, which shows in the lock of its table; and how many days are closed.
-- columns: may_lock boolean, held boolean, last_number bigint
SELECT has_any_column_privilege('number_series', 'UPDATE') AS may_lock,
       EXISTS (SELECT FROM pg_locks l
                WHERE l.relation = 'number_series'::regclass AND l.mode = 'RowShareLock' AND l.granted
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND l.pid <> pg_backend_pid()) AS held,
       coalesce((SELECT n.last_number FROM number_series n
                  WHERE n.site_id = $1::bigint AND n.series = 'day'), 0) AS last_number
