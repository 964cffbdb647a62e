-- Who is connected, and whether he may record what he does: an auditor may not, and a standby takes nothing.
-- columns: role text, may boolean
SELECT current_user::text AS role,
       has_table_privilege('operator_action', 'INSERT') AND NOT pg_is_in_recovery()
           AND current_setting('transaction_read_only') = 'off' AS may
