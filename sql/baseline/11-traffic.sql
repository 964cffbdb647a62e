-- What crawlers ask for, and what comes of it: counts of requests, and not of money that anybody owes.

CREATE TABLE traffic (
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    batch uuid NOT NULL,
    site_id bigint NOT NULL,
    period timestamptz NOT NULL,
    crawler text NOT NULL,
    verified boolean NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('offered', 'paid', 'repeated', 'refused', 'free', 'observed')),
    reason text NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    amount_micros bigint NOT NULL,
    pages bit(3072) NOT NULL,
    CHECK (requests >= 0 AND bytes >= 0 AND amount_micros >= 0)
) PARTITION BY RANGE (written_at);
COMMENT ON TABLE traffic IS 'What gates have counted, every few seconds. A partition for each hour, which is
added up in "traffic_hour" and dropped when the hour is over (keep_traffic). written_at is the server''s own
time.';
COMMENT ON COLUMN traffic.batch IS 'Drawn anew for what is written together, so that it is taken once.';
COMMENT ON COLUMN traffic.period IS 'Start of the quarter of an hour in which it was asked for, by the gate''s
clock.';
COMMENT ON COLUMN traffic.crawler IS 'An account that proved who it is (verified), the name by which a
crawler is known, or "others".';
COMMENT ON COLUMN traffic.outcome IS 'What came of the requests: offered, paid, repeated (paid for before),
refused, free, or observed: given away, in the mode that charges nothing.';
COMMENT ON COLUMN traffic.reason IS 'The code of the refusal; of what is free the status of the answer, if it
gave nothing away; of what is observed, what would have come of it.';
COMMENT ON COLUMN traffic.bytes IS 'Of bodies.';
COMMENT ON COLUMN traffic.amount_micros IS 'What was charged; of offers, what was asked; of what is observed,
what would have been charged.';
COMMENT ON COLUMN traffic.pages IS 'A sketch of the different pages: see distinct_pages.';
CREATE INDEX traffic_batch_idx ON traffic (batch);

CREATE TABLE traffic_hour (
    site_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    crawler text NOT NULL,
    verified boolean NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    amount_micros bigint NOT NULL,
    pages bit(3072) NOT NULL
) PARTITION BY RANGE (hour);
COMMENT ON TABLE traffic_hour IS 'The table "traffic", added up by hours of each site''s time zone. A
partition for each month (UTC); `crawltab traffic forget` drops old ones.';
CREATE INDEX traffic_hour_site_id_hour_idx ON traffic_hour (site_id, hour);

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

CREATE TABLE traffic_month (
    site_id bigint NOT NULL,
    month date NOT NULL,
    crawler text NOT NULL,
    verified boolean NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    reason text NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    amount_micros bigint NOT NULL,
    pages bit(3072) NOT NULL,
    PRIMARY KEY (site_id, month, crawler, verified, rule, outcome, reason)
);
COMMENT ON TABLE traffic_month IS 'The table "traffic_day", added up by months. No ledger: its rows count up,
and `crawltab traffic forget` removes old ones.';
COMMENT ON COLUMN traffic_month.month IS 'Its first day.';

CREATE VIEW traffic_counts AS
SELECT site_id, period AS counted_at, crawler, verified, rule, outcome, reason, requests, bytes,
       amount_micros, pages
  FROM traffic
UNION ALL
SELECT site_id, hour, crawler, verified, rule, outcome, reason, requests, bytes, amount_micros, pages
  FROM traffic_hour;
COMMENT ON VIEW traffic_counts IS 'All traffic, whether it is added up already or not: a row is of some
seconds or of an hour.';

CREATE FUNCTION traffic_partition(of_hour timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 'traffic_' || to_char(of_hour AT TIME ZONE 'UTC', 'YYYYMMDDHH24');
COMMENT ON FUNCTION traffic_partition IS 'Name of the partition with what was written in an hour.';

CREATE FUNCTION make_traffic_partition(parent regclass, name text, lower timestamptz,
                                                  upper timestamptz) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TABLE public.%I (LIKE %s INCLUDING ALL)', name, parent);
    PERFORM public.make_append_only(format('public.%I', name)::regclass);
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', parent, name,
                   lower, upper);
END
$$;
COMMENT ON FUNCTION make_traffic_partition IS 'Makes a partition of "traffic" or "traffic_hour".';

CREATE FUNCTION traffic_zone(of_site bigint, at timestamptz) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (SELECT coalesce((SELECT z.time_zone FROM site_zone z
                              WHERE z.site_id = s.site_id
                                AND z.from_date <= (traffic_zone.at AT TIME ZONE z.time_zone)::date
                              ORDER BY z.version DESC LIMIT 1), s.time_zone)
              FROM site s WHERE s.site_id = of_site);
COMMENT ON FUNCTION traffic_zone IS 'The time zone whose days a site counts its traffic by, at an instant.';

CREATE FUNCTION add_up_traffic(part regclass) RETURNS void
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
        'INSERT INTO public.traffic_month AS m (site_id, month, crawler, verified, rule, outcome, reason,'
        '                                       requests, bytes, amount_micros, pages)'
        ' SELECT t.site_id, p.month, t.crawler, t.verified, t.rule, t.outcome, t.reason, sum(t.requests),'
        '        sum(t.bytes), sum(t.amount_micros), bit_or(t.pages)'
        '   FROM %1$s t'
        '   JOIN (SELECT q.site_id, q.period,'
        '                date_trunc(''month'', q.period AT TIME ZONE'
        '                                    public.traffic_zone(q.site_id, q.period))::date AS month'
        '           FROM (SELECT DISTINCT site_id, period FROM %1$s) AS q) AS p USING (site_id, period)'
        '  GROUP BY t.site_id, 2, t.crawler, t.verified, t.rule, t.outcome, t.reason'
        '     ON CONFLICT (site_id, month, crawler, verified, rule, outcome, reason) DO UPDATE'
        '    SET requests = m.requests + EXCLUDED.requests, bytes = m.bytes + EXCLUDED.bytes,'
        '        amount_micros = m.amount_micros + EXCLUDED.amount_micros, pages = m.pages | EXCLUDED.pages',
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
"traffic_day", "traffic_month" and "traffic_total", and drops it. What comes late has rows of its own in
"traffic_hour", which are summed by whoever reads.';

CREATE FUNCTION keep_traffic() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    this_hour timestamptz := date_trunc('hour', clock_timestamp(), 'UTC');
    at timestamptz;
    part regclass;
    parts regclass[];
BEGIN
    FOR i IN 0 .. 1 LOOP
        at := this_hour + i * interval '1 hour';
        CONTINUE WHEN to_regclass('public.' || traffic_partition(at)) IS NOT NULL;
        -- Several gates: the second waits here and then finds the table. Who writes does not wait.
        LOCK TABLE ONLY public.traffic IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || traffic_partition(at)) IS NOT NULL;
        PERFORM make_traffic_partition('public.traffic', traffic_partition(at), at, at + interval '1 hour');
    END LOOP;
    IF NOT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                    WHERE inhparent = 'public.traffic'::regclass AND relname < traffic_partition(this_hour))
    THEN
        RETURN;
    END IF;
    LOCK TABLE ONLY public.traffic IN SHARE UPDATE EXCLUSIVE MODE;
    SELECT array_agg(inhrelid::regclass ORDER BY relname) INTO parts
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'public.traffic'::regclass AND relname < traffic_partition(this_hour);
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM add_up_traffic(part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION keep_traffic IS 'Makes the partitions of "traffic" for this hour and the next, by the
server''s clock, and adds up those of hours that are over. With the owner''s rights, so that the gate needs
none to make and drop tables.';

CREATE FUNCTION forget_traffic(before_month date) RETURNS integer
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
    DELETE FROM traffic_day WHERE day < date_trunc('month', before_month::timestamp);
    DELETE FROM traffic_total WHERE hour < date_trunc('month', before_month::timestamp) AT TIME ZONE 'UTC';
    PERFORM set_config('crawltab.forgets_traffic', 'no', true);
    RETURN coalesce(cardinality(parts), 0);
END
$$;
COMMENT ON FUNCTION forget_traffic IS 'Drops the counts of months (UTC) before that of the date; returns of
how many months there were any. For the owner alone.';

CREATE FUNCTION distinct_pages(pages bit) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT CASE
                   -- Few: so many registers would still be empty.
                   WHEN count(*) FILTER (WHERE r.seen) < 90
                   THEN round(-128 * ln(1 - count(*) FILTER (WHERE r.seen) / 128.0))
                   ELSE round(128 / 0.77351 * (power(2, avg(r.rank)) - power(2, -1.75 * avg(r.rank))))
                   END::bigint
              FROM (SELECT position(B'1' IN register) > 0 AS seen,
                           coalesce(nullif(position(B'0' IN register), 0), 25) - 1 AS rank
                      FROM generate_series(0, 127) AS i,
                           LATERAL substring(pages FROM i * 24 + 1 FOR 24) AS register) AS r);
COMMENT ON FUNCTION distinct_pages IS 'About how many different pages a sketch stands for (Flajolet and
Martin; for small numbers as Scheuermann and Mauve correct it): sketches of 128 registers are joined by
bit_or(). The standard error is 7 %.';

CREATE FUNCTION hour_text(at timestamptz, zone text) RETURNS text
    LANGUAGE sql STABLE STRICT PARALLEL SAFE
    RETURN (SELECT to_char(hour AT TIME ZONE zone, 'YYYY-MM-DD"T"HH24:MI')
                   || CASE WHEN ahead < interval '0' THEN '-' ELSE '+' END
                   || to_char(greatest(ahead, -ahead), 'HH24:MI')
              FROM date_trunc('hour', at, zone) AS hour,
                   LATERAL (SELECT hour AT TIME ZONE zone - hour AT TIME ZONE 'UTC' AS ahead) AS offsets);
COMMENT ON FUNCTION hour_text IS 'The hour of a time zone that an instant is in, as RFC 3339 writes it without
seconds: an hour that comes twice, in autumn, has two texts.';

CREATE FUNCTION refuse_uncount() RETURNS trigger
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

SELECT make_append_only(name::regclass) FROM unnest(ARRAY['traffic', 'traffic_hour']) AS name;

DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['traffic_day', 'traffic_total', 'traffic_month'] LOOP
        EXECUTE format('CREATE TRIGGER count_up BEFORE UPDATE ON %I'
                       ' FOR EACH ROW EXECUTE FUNCTION refuse_uncount()', target);
        EXECUTE format('CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON %I FOR EACH STATEMENT'
                       ' WHEN (current_setting(''crawltab.forgets_traffic'', true) IS DISTINCT FROM ''yes'')'
                       ' EXECUTE FUNCTION refuse_change()', target);
        EXECUTE format('ALTER TABLE %1$I ENABLE ALWAYS TRIGGER count_up,'
                       ' ENABLE ALWAYS TRIGGER append_only', target);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION add_up_traffic, forget_traffic, keep_traffic, make_traffic_partition FROM PUBLIC;
