-- Whether entries are on other servers (sql/citus.sql): then this function has the text that it has there.
-- columns: spread boolean
SELECT EXISTS (SELECT FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
                WHERE p.pronamespace = 'public'::regnamespace AND p.proname = 'charge_range'
                  AND l.lanname = 'plpgsql') AS spread
