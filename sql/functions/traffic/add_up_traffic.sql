CREATE OR REPLACE FUNCTION add_up_traffic(part regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    month timestamptz;
    name text;
BEGIN
    -- Writers that chose this partition before its hour was over finish first. Who comes later fails, and
    -- counts into the next one.
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', part);
    FOR month IN EXECUTE format(
        'SELECT DISTINCT date_trunc(''month'', date_trunc(''hour'', t.period, s.time_zone), ''UTC'')'
        '  FROM %s t JOIN public.site s USING (site_id)', part)
    LOOP
        name := 'traffic_hour_' || to_char(month AT TIME ZONE 'UTC', 'YYYYMM');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        PERFORM public.make_traffic_partition(
            'public.traffic_hour', name, month,
            (month AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC');
    END LOOP;
    EXECUTE format(
        'INSERT INTO public.traffic_hour (site_id, hour, crawler, verified, rule, outcome, reason, requests,'
        '                                 bytes, amount_micros, pages)'
        ' SELECT t.site_id, date_trunc(''hour'', t.period, s.time_zone), t.crawler, t.verified, t.rule,'
        '        t.outcome, t.reason, sum(t.requests), sum(t.bytes), sum(t.amount_micros), bit_or(t.pages)'
        '   FROM %s t JOIN public.site s USING (site_id)'
        '  GROUP BY t.site_id, 2, t.crawler, t.verified, t.rule, t.outcome, t.reason', part);
    EXECUTE format('DROP TABLE %s', part);
END
$$;
COMMENT ON FUNCTION add_up_traffic IS 'Adds what stands in a partition of "traffic" to "traffic_hour", and
drops it. What comes late has rows of its own there, which are summed by whoever reads.';
