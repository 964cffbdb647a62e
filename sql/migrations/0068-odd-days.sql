-- Gates add days, and any day was taken: one of ten years kept the night from closing, one before all others
-- was closed after them, and one in a zone that is none made each night fail.
-- Gates since 46 go on.

CREATE OR REPLACE FUNCTION refuse_odd_day() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    odd date;
BEGIN
    -- Who may do anything need not be asked.
    IF EXISTS (SELECT FROM pg_roles r WHERE r.rolname = session_user AND r.rolsuper) THEN
        RETURN NULL;
    END IF;
    -- First what site_days would count to without an end.
    SELECT a.local_date INTO odd FROM added a WHERE NOT isfinite(a.local_date) LIMIT 1;
    IF NOT FOUND THEN
        SELECT a.local_date INTO odd
          FROM added a
          LEFT JOIN LATERAL site_days(a.site_id, a.local_date, a.local_date, a.starts_at) d ON true
          LEFT JOIN LATERAL (SELECT b.ends_at FROM day b
                              WHERE b.site_id = a.site_id AND b.local_date < a.local_date
                              ORDER BY b.local_date DESC LIMIT 1) AS before ON true
          LEFT JOIN LATERAL (SELECT n.starts_at FROM day n
                              WHERE n.site_id = a.site_id AND n.local_date > a.local_date
                              ORDER BY n.local_date LIMIT 1) AS next ON true
         WHERE d.time_zone IS DISTINCT FROM a.time_zone
            OR a.starts_at <> coalesce(before.ends_at, a.local_date::timestamp AT TIME ZONE d.time_zone)
            OR a.ends_at <> coalesce(next.starts_at, d.ends_at)
            OR EXISTS (SELECT FROM day_seal s
                        WHERE s.site_id = a.site_id AND s.local_date > a.local_date)
         LIMIT 1;
    END IF;
    IF FOUND THEN
        RAISE EXCEPTION 'day % is not the one that the site has between its other days', odd
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION refuse_odd_day IS 'Trigger of day: refuses what site_days does not make, what leaves a gap
between days, and what comes before a sealed one. Gates add days, and a day of years would never be billed.';

CREATE TRIGGER tiled AFTER INSERT ON day REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_odd_day();
ALTER TABLE day ENABLE ALWAYS TRIGGER tiled;
