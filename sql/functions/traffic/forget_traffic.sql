CREATE OR REPLACE FUNCTION forget_traffic(before_month date) RETURNS integer
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    part regclass;
    parts regclass[];
BEGIN
    SELECT array_agg(inhrelid::regclass ORDER BY relname) INTO parts
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'public.traffic_hour'::regclass
       AND relname < 'traffic_hour_' || to_char(before_month, 'YYYYMM');
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        EXECUTE format('DROP TABLE %s', part);
    END LOOP;
    PERFORM set_config('crawltab.forgets_traffic', 'yes', true); -- what their triggers ask for
    DELETE FROM traffic_month WHERE month < date_trunc('month', before_month::timestamp);
    DELETE FROM traffic_stretch WHERE first_day < date_trunc('month', before_month::timestamp);
    DELETE FROM traffic_day WHERE day < date_trunc('month', before_month::timestamp);
    DELETE FROM traffic_path WHERE day < date_trunc('month', before_month::timestamp);
    DELETE FROM traffic_total WHERE hour < date_trunc('month', before_month::timestamp) AT TIME ZONE 'UTC';
    PERFORM set_config('crawltab.forgets_traffic', 'no', true);
    RETURN coalesce(cardinality(parts), 0);
END
$$;
COMMENT ON FUNCTION forget_traffic IS 'Drops the counts of months (UTC) before that of the date; returns of
how many months there were any. For the owner alone.';
