-- A gate shows each crawler its own account: for that it reads what it has not read until now. What of the
-- rest it needs, entries, invoices and payments, it reads already, to know what everybody owes.

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
BEGIN
    EXECUTE format('GRANT SELECT ON archived, unproven TO %I', gate);
END
$$;
