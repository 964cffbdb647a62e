-- Migrations and roles.sql read the configured role names from here: a name cannot be a parameter of GRANT.
SELECT set_config('crawltab.owner_role', $1, false), set_config('crawltab.gate_role', $2, false),
       set_config('crawltab.operator_role', $3, false)
