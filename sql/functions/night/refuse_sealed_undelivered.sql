CREATE OR REPLACE FUNCTION refuse_sealed_undelivered() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'undelivered pages are recorded in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NEW.payment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of payment "%" is sealed', NEW.payment_id
            USING ERRCODE = 'check_violation', HINT = 'Take it back with crawltab adjust.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_undelivered IS 'Trigger of undelivered: refuses a payment of a day that its
site has sealed.';
