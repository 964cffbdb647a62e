-- What a crawler owes is counted from the payments themselves: the gate asks for it again and again, and
-- looking up the state of every invoice that there ever was would cost the most.
DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON invoice_payment TO %I', current_setting('crawltab.gate_role'));
END
$$;
