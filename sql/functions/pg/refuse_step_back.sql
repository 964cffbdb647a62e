CREATE OR REPLACE FUNCTION refuse_step_back() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_number < OLD.last_number OR NEW.site_id <> OLD.site_id OR NEW.series <> OLD.series THEN
        RAISE EXCEPTION 'series "%" may only count up', OLD.series USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_step_back IS 'Trigger of number_series: no number is given twice.';
