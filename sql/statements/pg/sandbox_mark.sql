-- Whether the ledger is a sandbox, which it becomes by this if it may: the clock is $1 seconds ahead; $2 the
-- true time, $3 the program.
-- columns: marked boolean
SELECT CASE WHEN EXISTS (SELECT FROM sandbox) THEN true
            ELSE mark_sandbox($1::bigint, instant($2::bigint), $3::text) END AS marked
