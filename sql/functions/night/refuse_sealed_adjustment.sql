CREATE OR REPLACE FUNCTION refuse_sealed_adjustment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.adjustment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                               ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of adjustment "%" is sealed', NEW.adjustment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_adjustment IS 'Trigger of adjustment: refuses one of a day that its site
has sealed.';
