CREATE OR REPLACE FUNCTION refuse_miscount() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempts <> OLD.attempts + 1 OR NEW.site_id <> OLD.site_id OR NEW.payment_id <> OLD.payment_id
       OR NEW.crawler_id <> OLD.crawler_id THEN
        RAISE EXCEPTION 'attempts are counted one by one' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_miscount IS 'Trigger of conflict_count: attempts are counted one by one, and
nothing else of a row changes.';
