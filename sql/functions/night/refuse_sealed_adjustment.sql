CREATE OR REPLACE FUNCTION refuse_sealed_adjustment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.adjustment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                               ORDER BY end_id DESC LIMIT 1)
       -- A seal also fixes what was not delivered: the close that comes after it takes that back, once.
       AND NOT (NEW.kind = 'reversal'
                AND EXISTS (SELECT FROM undelivered u
                             WHERE u.payment_id = NEW.payment_id AND u.site_id = NEW.site_id
                               AND undelivered_adjustment(u.site_id, u.payment_id) = NEW.adjustment_id)
                AND NOT EXISTS (SELECT FROM day d JOIN day_close c USING (site_id, local_date)
                                 WHERE d.site_id = NEW.site_id AND d.starts_at <= uuid_instant(NEW.payment_id)
                                   AND d.ends_at > uuid_instant(NEW.payment_id))) THEN
        RAISE EXCEPTION 'the day of adjustment "%" is sealed', NEW.adjustment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_adjustment IS 'Trigger of adjustment: refuses one of a day that its site
has sealed, but for those that its close makes of what was not delivered.';
