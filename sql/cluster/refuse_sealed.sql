-- On the servers where entries are there are no seals. The trigger asks for entries below the newest seal of
-- all; gates make none so old, of whatever site.
CREATE OR REPLACE FUNCTION refuse_sealed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a day as old as entry "%" is sealed', NEW.payment_id
        USING ERRCODE = 'check_violation',
              HINT = 'A crawltab nightly whose clock was ahead has closed the day, or the gate''s clock'
                     ' is behind: set them right. Corrections are adjustments of a later day.';
END
$$;
