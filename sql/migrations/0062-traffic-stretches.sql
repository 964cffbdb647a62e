-- Traffic added up by stretches of a month, of six days or so: a quarter of a year begins and ends within a
-- month, and to read these by days was most of the work.
-- Gates since 46 go on.

CREATE OR REPLACE FUNCTION stretch_of(day date) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN date_trunc('month', day::timestamp)::date
           + least((extract(day FROM day)::integer - 1) / 6, 4) * 6;
COMMENT ON FUNCTION stretch_of IS 'The first day of the stretch of a month that a day is in: they begin on the
1st, 7th, 13th, 19th and 25th.';

CREATE OR REPLACE FUNCTION stretch_from(day date) RETURNS date
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN stretch_of(day) = day THEN day
                WHEN extract(day FROM day) > 25
                THEN (date_trunc('month', day::timestamp) + interval '1 month')::date
                ELSE stretch_of(day) + 6 END;
COMMENT ON FUNCTION stretch_from IS 'The first day of the first stretch (stretch_of) that begins on a day or
later.';

CREATE TABLE traffic_stretch (
    site_id bigint NOT NULL,
    first_day date NOT NULL,
    crawler text NOT NULL,
    verified boolean NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    amount_micros bigint NOT NULL,
    pages bit(3072) NOT NULL,
    PRIMARY KEY (site_id, first_day, crawler, verified, rule, outcome, reason)
);
COMMENT ON TABLE traffic_stretch IS 'The table "traffic_day", added up by stretches of months. No ledger: its
rows count up, and `crawltab traffic forget` removes old ones.';
COMMENT ON COLUMN traffic_stretch.first_day IS 'Of the stretch: see stretch_of.';

CREATE TRIGGER count_up BEFORE UPDATE ON traffic_stretch FOR EACH ROW EXECUTE FUNCTION refuse_uncount();
ALTER TABLE traffic_stretch ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON traffic_stretch FOR EACH STATEMENT
    WHEN (current_setting('crawltab.forgets_traffic', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE traffic_stretch ENABLE ALWAYS TRIGGER append_only;

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
    DELETE FROM traffic_total WHERE hour < date_trunc('month', before_month::timestamp) AT TIME ZONE 'UTC';
    PERFORM set_config('crawltab.forgets_traffic', 'no', true);
    RETURN coalesce(cardinality(parts), 0);
END
$$;
COMMENT ON FUNCTION forget_traffic IS 'Drops the counts of months (UTC) before that of the date; returns of
how many months there were any. For the owner alone.';

LOCK TABLE ONLY traffic IN SHARE UPDATE EXCLUSIVE MODE; -- nobody adds up meanwhile
INSERT INTO traffic_stretch (site_id, first_day, crawler, verified, rule, outcome, reason, requests, bytes,
                             amount_micros, pages)
SELECT site_id, stretch_of(day), crawler, verified, rule, outcome, reason, sum(requests), sum(bytes),
       sum(amount_micros), bit_or(pages)
  FROM traffic_day
 GROUP BY 1, 2, 3, 4, 5, 6, 7
 ORDER BY 2, 1;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON traffic_stretch TO %I', current_setting('crawltab.operator_role'));
END
$$;
