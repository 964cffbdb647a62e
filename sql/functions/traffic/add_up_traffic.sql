CREATE OR REPLACE FUNCTION add_up_traffic(part regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    month timestamptz;
    name text;
    target text;
    first text;
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
    FOR target, name, first IN
        VALUES ('traffic_day', 'day', 'day'), ('traffic_stretch', 'first_day', 'public.stretch_of(day)'),
               ('traffic_month', 'month', 'date_trunc(''month'', day::timestamp)::date')
    LOOP
        EXECUTE format(
            'INSERT INTO public.%2$I AS d (site_id, %3$I, crawler, verified, rule, outcome, reason,'
            '                              requests, bytes, amount_micros, pages)'
            ' SELECT t.site_id, p.first, t.crawler, t.verified, t.rule, t.outcome, t.reason,'
            '        sum(t.requests), sum(t.bytes), sum(t.amount_micros), bit_or(t.pages)'
            '   FROM %1$s t'
            '   JOIN (SELECT site_id, period, %4$s AS first'
            '           FROM (SELECT site_id, period,'
            '                        (period AT TIME ZONE public.traffic_zone(site_id, period))::date AS day'
            '                   FROM (SELECT DISTINCT site_id, period FROM %1$s) AS u) AS q) AS p'
            '  USING (site_id, period)'
            '  GROUP BY t.site_id, 2, t.crawler, t.verified, t.rule, t.outcome, t.reason'
            '     ON CONFLICT (site_id, %3$I, crawler, verified, rule, outcome, reason) DO UPDATE'
            '    SET requests = d.requests + EXCLUDED.requests, bytes = d.bytes + EXCLUDED.bytes,'
            '        amount_micros = d.amount_micros + EXCLUDED.amount_micros,'
            '        pages = d.pages | EXCLUDED.pages',
            part, target, name, first);
    END LOOP;
    EXECUTE format(
        'INSERT INTO public.traffic_total AS h (site_id, hour, outcome, reason, requests, bytes,'
        '                                       amount_micros, pages)'
        ' SELECT t.site_id, date_trunc(''hour'', t.period, s.time_zone), t.outcome, t.reason,'
        '        sum(t.requests), sum(t.bytes), sum(t.amount_micros), bit_or(t.pages)'
        '   FROM %s t JOIN public.site s USING (site_id)'
        '  GROUP BY t.site_id, 2, t.outcome, t.reason'
        '     ON CONFLICT (site_id, hour, outcome, reason) DO UPDATE'
        '    SET requests = h.requests + EXCLUDED.requests, bytes = h.bytes + EXCLUDED.bytes,'
        '        amount_micros = h.amount_micros + EXCLUDED.amount_micros, pages = h.pages | EXCLUDED.pages',
        part);
    EXECUTE format('DROP TABLE %s', part);
END
$$;
COMMENT ON FUNCTION add_up_traffic IS 'Adds what stands in a partition of "traffic" to "traffic_hour",
"traffic_day", "traffic_stretch", "traffic_month" and "traffic_total", and drops it. What comes late has rows
of its own in "traffic_hour", which are summed by whoever reads.';
