CREATE OR REPLACE FUNCTION refuse_sealed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries this old are made in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NEW.payment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of entry "%" is sealed', NEW.payment_id
            USING ERRCODE = 'check_violation',
                  HINT = 'A crawltab nightly whose clock was ahead has closed the day, or the gate''s clock'
                         ' is behind: set them right. Corrections are adjustments of a later day.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION refuse_sealed IS 'Trigger of each partition (guard_seals): refuses an entry of a day
that its site has sealed.';
