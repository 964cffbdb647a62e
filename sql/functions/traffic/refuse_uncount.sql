CREATE OR REPLACE FUNCTION refuse_uncount() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.requests < OLD.requests OR NEW.bytes < OLD.bytes OR NEW.amount_micros < OLD.amount_micros
       OR to_jsonb(NEW) - '{requests,bytes,amount_micros,pages}'::text[]
          <> to_jsonb(OLD) - '{requests,bytes,amount_micros,pages}'::text[] THEN
        RAISE EXCEPTION 'table "%" counts up', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    -- Paths have no sketches of pages.
    IF TG_TABLE_NAME <> 'traffic_path' THEN
        IF NEW.pages & OLD.pages <> OLD.pages THEN
            RAISE EXCEPTION 'table "%" counts up', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_uncount IS 'Trigger of sums of traffic: they count up, and stay what they are of.';
