-- Traffic added up by days and by hours, so that a quarter of a year is told at once.

CREATE TABLE traffic_day (
    site_id bigint NOT NULL,
    day date NOT NULL,
    crawler text NOT NULL,
    verified boolean NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    amount_micros bigint NOT NULL,
    pages bit(3072) NOT NULL,
    PRIMARY KEY (site_id, day, crawler, verified, rule, outcome, reason)
);
COMMENT ON TABLE traffic_day IS 'The table "traffic_hour", added up by days of each site''s time zone. No
ledger: its rows count up, and `crawltab traffic forget` removes old ones.';

CREATE TABLE traffic_total (
    site_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    amount_micros bigint NOT NULL,
    pages bit(3072) NOT NULL,
    PRIMARY KEY (site_id, hour, outcome, reason)
);
COMMENT ON TABLE traffic_total IS 'The table "traffic_hour", added up over crawlers and rules. No ledger:
its rows count up, and `crawltab traffic forget` removes old ones.';

CREATE OR REPLACE FUNCTION refuse_uncount() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.requests < OLD.requests OR NEW.bytes < OLD.bytes OR NEW.amount_micros < OLD.amount_micros
       OR NEW.pages & OLD.pages <> OLD.pages
       OR to_jsonb(NEW) - '{requests,bytes,amount_micros,pages}'::text[]
          <> to_jsonb(OLD) - '{requests,bytes,amount_micros,pages}'::text[] THEN
        RAISE EXCEPTION 'table "%" counts up', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_uncount IS 'Trigger of sums of traffic: they count up, and stay what they are of.';

CREATE TRIGGER count_up BEFORE UPDATE ON traffic_day FOR EACH ROW EXECUTE FUNCTION refuse_uncount();
ALTER TABLE traffic_day ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON traffic_day FOR EACH STATEMENT
    WHEN (current_setting('crawltab.forgets_traffic', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE traffic_day ENABLE ALWAYS TRIGGER append_only;

CREATE TRIGGER count_up BEFORE UPDATE ON traffic_total FOR EACH ROW EXECUTE FUNCTION refuse_uncount();
ALTER TABLE traffic_total ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON traffic_total FOR EACH STATEMENT
    WHEN (current_setting('crawltab.forgets_traffic', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE traffic_total ENABLE ALWAYS TRIGGER append_only;

CREATE OR REPLACE FUNCTION traffic_zone(of_site bigint, at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (SELECT coalesce((SELECT z.time_zone FROM site_zone z
                              WHERE z.site_id = s.site_id
                                AND z.from_date <= (traffic_zone.at AT TIME ZONE z.time_zone)::date
                              ORDER BY z.version DESC LIMIT 1), s.time_zone)
              FROM site s WHERE s.site_id = of_site);
COMMENT ON FUNCTION traffic_zone IS 'The time zone whose days a site counts its traffic by, at an instant.';

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
    EXECUTE format(
        'INSERT INTO public.traffic_day AS d (site_id, day, crawler, verified, rule, outcome, reason,'
        '                                     requests, bytes, amount_micros, pages)'
        ' SELECT t.site_id, p.day, t.crawler, t.verified, t.rule, t.outcome, t.reason, sum(t.requests),'
        '        sum(t.bytes), sum(t.amount_micros), bit_or(t.pages)'
        '   FROM %1$s t'
        '   JOIN (SELECT q.site_id, q.period,'
        '                (q.period AT TIME ZONE public.traffic_zone(q.site_id, q.period))::date AS day'
        '           FROM (SELECT DISTINCT site_id, period FROM %1$s) AS q) AS p USING (site_id, period)'
        '  GROUP BY t.site_id, 2, t.crawler, t.verified, t.rule, t.outcome, t.reason'
        '     ON CONFLICT (site_id, day, crawler, verified, rule, outcome, reason) DO UPDATE'
        '    SET requests = d.requests + EXCLUDED.requests, bytes = d.bytes + EXCLUDED.bytes,'
        '        amount_micros = d.amount_micros + EXCLUDED.amount_micros, pages = d.pages | EXCLUDED.pages',
        part);
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
"traffic_day" and "traffic_total", and drops it. What comes late has rows of its own in "traffic_hour", which
are summed by whoever reads.';

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
    DELETE FROM traffic_day WHERE day < date_trunc('month', before_month::timestamp);
    DELETE FROM traffic_total WHERE hour < date_trunc('month', before_month::timestamp) AT TIME ZONE 'UTC';
    PERFORM set_config('crawltab.forgets_traffic', 'no', true);
    RETURN coalesce(cardinality(parts), 0);
END
$$;
COMMENT ON FUNCTION forget_traffic IS 'Drops the counts of months (UTC) before that of the date; returns of
how many months there were any. For the owner alone.';

LOCK TABLE ONLY traffic IN SHARE UPDATE EXCLUSIVE MODE; -- nobody adds up meanwhile
INSERT INTO traffic_day (site_id, day, crawler, verified, rule, outcome, reason, requests, bytes,
                         amount_micros, pages)
SELECT site_id, d.day, h.crawler, h.verified, h.rule, h.outcome, h.reason, sum(h.requests), sum(h.bytes),
       sum(h.amount_micros), bit_or(h.pages)
  FROM traffic_hour AS h
  JOIN (SELECT u.site_id, u.hour, (u.hour AT TIME ZONE traffic_zone(u.site_id, u.hour))::date AS day
          FROM (SELECT DISTINCT site_id, hour FROM traffic_hour) AS u) AS d USING (site_id, hour)
 GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO traffic_total (site_id, hour, outcome, reason, requests, bytes, amount_micros, pages)
SELECT site_id, hour, outcome, reason, sum(requests), sum(bytes), sum(amount_micros), bit_or(pages)
  FROM traffic_hour
 GROUP BY 1, 2, 3, 4;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON traffic_day, traffic_total TO %I',
                   current_setting('crawltab.operator_role'));
END
$$;
