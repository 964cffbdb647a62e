-- Migrations and roles.sql read the configured role names from here: a name cannot be a parameter of GRANT.
-- For the transaction alone, which behind a pooler is all that stays on one connection.
SELECT set_config('crawltab.owner_role', $1, true), set_config('crawltab.gate_role', $2, true),
       set_config('crawltab.operator_role', $3, true), set_config('crawltab.auditor_role', $4, true)
