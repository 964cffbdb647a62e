-- The four roles, run by `crawltab migrate --bootstrap` as a superuser. Their names come from the
-- configuration as settings of the session. Each may log in; how, is pg_hba.conf's business.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[current_setting('crawltab.owner_role'), current_setting('crawltab.gate_role'),
                                current_setting('crawltab.operator_role'),
                                current_setting('crawltab.auditor_role')]
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS', name);
        END IF;
    END LOOP;
END
$$;
