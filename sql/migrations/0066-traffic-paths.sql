-- Paths are counted: of what crawlers pay for, or would, by day, so that a publisher sees which pages are
-- taken, and can try another price list on them.
-- Gates since 46 go on.

CREATE TABLE traffic_path (
    site_id bigint NOT NULL,
    day date NOT NULL,
    path text NOT NULL,
    crawler text NOT NULL,
    verified boolean NOT NULL,
    rule text NOT NULL,
    outcome text NOT NULL,
    requests bigint NOT NULL,
    bytes bigint NOT NULL,
    amount_micros bigint NOT NULL,
    PRIMARY KEY (site_id, day, path, crawler, verified, rule, outcome)
);
COMMENT ON TABLE traffic_path IS 'Requests of crawlers for what has a price, by path and day of each site''s
time zone. No ledger: its rows count up; those of paths that were seldom asked for are added up when the day
is over (trim_paths), and `crawltab traffic forget` removes old ones.';
COMMENT ON COLUMN traffic_path.path IS 'As the rules see it, without its query; empty: other paths.';

CREATE TABLE traffic_trim (
    site_id bigint NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (site_id, day)
);
COMMENT ON TABLE traffic_trim IS 'Days of which "traffic_path" has only the paths that were asked for most.';

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

CREATE OR REPLACE FUNCTION count_paths(of_batch uuid, sites text[], periods_ms bigint[], paths text[],
                                       crawlers text[], verified bigint[], rules text[], outcomes text[],
                                       requests bigint[], bytes bigint[], amounts bigint[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    most CONSTANT bigint := 20000; -- rows of a site and day
    part record;
    room bigint;
BEGIN
    IF EXISTS (SELECT FROM traffic WHERE batch = of_batch) THEN
        RETURN;
    END IF;
    -- Trimming waits until this is committed, and the other way round.
    LOCK TABLE traffic_path IN ROW EXCLUSIVE MODE;
    FOR part IN
        SELECT p.site_id, p.name, p.day, array_agg(p.period_ms) AS periods_ms
          FROM (SELECT s.site_id, s.name, c.period_ms,
                       (instant(c.period_ms)
                        AT TIME ZONE traffic_zone(s.site_id, instant(c.period_ms)))::date AS day
                  FROM (SELECT DISTINCT * FROM unnest(sites, periods_ms) AS u (site, period_ms)) AS c
                  JOIN site s ON s.name = c.site) AS p
         GROUP BY p.site_id, p.name, p.day
         ORDER BY p.site_id, p.day
    LOOP
        -- A day that was trimmed gets no more paths.
        SELECT CASE WHEN part.day <= (SELECT max(t.day) FROM traffic_trim t WHERE t.site_id = part.site_id)
                    THEN 0 ELSE most - count(*) END INTO room
          FROM (SELECT FROM traffic_path t WHERE t.site_id = part.site_id AND t.day = part.day
                 LIMIT most) AS t;
        INSERT INTO traffic_path AS t (site_id, day, path, crawler, verified, rule, outcome, requests, bytes,
                                       amount_micros)
        SELECT part.site_id, part.day, CASE WHEN q.known OR q.rank <= room THEN q.path ELSE '' END, q.crawler,
               q.verified, q.rule, q.outcome, sum(q.requests), sum(q.bytes), sum(q.amount_micros)
          FROM (SELECT c.*, row_number() OVER (PARTITION BY c.known ORDER BY c.requests DESC) AS rank
                  FROM (SELECT u.path, u.crawler, u.verified = 1 AS verified, u.rule, u.outcome,
                               sum(u.requests) AS requests, sum(u.bytes) AS bytes,
                               sum(u.amount_micros) AS amount_micros,
                               u.path = '' OR EXISTS (
                                   SELECT FROM traffic_path t
                                    WHERE t.site_id = part.site_id AND t.day = part.day AND t.path = u.path
                                      AND t.crawler = u.crawler AND t.verified = (u.verified = 1)
                                      AND t.rule = u.rule AND t.outcome = u.outcome) AS known
                          FROM unnest(sites, periods_ms, paths, crawlers, verified, rules, outcomes, requests,
                                      bytes, amounts)
                               AS u (site, period_ms, path, crawler, verified, rule, outcome, requests,
                                     bytes, amount_micros)
                         WHERE u.site = part.name AND u.period_ms = ANY (part.periods_ms)
                         GROUP BY u.path, u.crawler, u.verified, u.rule, u.outcome) AS c) AS q
         GROUP BY 3, 4, 5, 6, 7
         ORDER BY 3, 4, 5, 6, 7 -- two gates lock the same rows in the same order
            ON CONFLICT ON CONSTRAINT traffic_path_pkey DO UPDATE
           SET requests = t.requests + EXCLUDED.requests, bytes = t.bytes + EXCLUDED.bytes,
               amount_micros = t.amount_micros + EXCLUDED.amount_micros;
    END LOOP;
END
$$;
COMMENT ON FUNCTION count_paths IS 'Adds a batch of what was counted by path to "traffic_path", once: to be
called before the batch is in "traffic", in the same transaction. A day of a site has 20,000 rows at most, and
then some without path. With the owner''s rights, so that the gate needs none to change counts.';

CREATE OR REPLACE FUNCTION trim_paths() RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    of_site bigint;
    of_day date;
BEGIN
    LOOP
        -- The first day after the last one that was trimmed: history is not looked at.
        SELECT s.site_id, p.day INTO of_site, of_day
          FROM site s
         CROSS JOIN LATERAL (SELECT t.day FROM traffic_path t
                              WHERE t.site_id = s.site_id
                                AND t.day > coalesce((SELECT max(day) FROM traffic_trim d
                                                       WHERE d.site_id = s.site_id), '-infinity')
                              ORDER BY t.day LIMIT 1) AS p
         WHERE p.day < ((clock_timestamp() - interval '1 hour')
                        AT TIME ZONE traffic_zone(s.site_id, clock_timestamp()))::date
         LIMIT 1;
        EXIT WHEN NOT FOUND;
        LOCK TABLE traffic_path IN SHARE ROW EXCLUSIVE MODE;
        CONTINUE WHEN EXISTS (SELECT FROM traffic_trim WHERE site_id = of_site AND day >= of_day);
        PERFORM set_config('crawltab.forgets_traffic', 'yes', true); -- what its trigger asks for
        WITH kept AS MATERIALIZED (
            SELECT path FROM traffic_path WHERE site_id = of_site AND day = of_day AND path <> ''
             GROUP BY path ORDER BY sum(requests) DESC, path LIMIT 2000
        ), gone AS (
            DELETE FROM traffic_path t
             WHERE t.site_id = of_site AND t.day = of_day AND t.path <> ''
               AND NOT EXISTS (SELECT FROM kept k WHERE k.path = t.path)
            RETURNING t.*
        )
        INSERT INTO traffic_path AS t (site_id, day, path, crawler, verified, rule, outcome, requests, bytes,
                                       amount_micros)
        SELECT of_site, of_day, '', g.crawler, g.verified, g.rule, g.outcome, sum(g.requests), sum(g.bytes),
               sum(g.amount_micros)
          FROM gone g
         GROUP BY g.crawler, g.verified, g.rule, g.outcome
            ON CONFLICT ON CONSTRAINT traffic_path_pkey DO UPDATE
           SET requests = t.requests + EXCLUDED.requests, bytes = t.bytes + EXCLUDED.bytes,
               amount_micros = t.amount_micros + EXCLUDED.amount_micros;
        PERFORM set_config('crawltab.forgets_traffic', 'no', true);
        INSERT INTO traffic_trim (site_id, day) VALUES (of_site, of_day);
    END LOOP;
END
$$;
COMMENT ON FUNCTION trim_paths IS 'Of days of the sites'' zones that are over by an hour, by the server''s
clock: leaves the rows of the 2,000 paths that were asked for most in "traffic_path", and adds the others up
in rows without path.';

CREATE OR REPLACE FUNCTION keep_traffic() RETURNS void
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
    PERFORM trim_paths();
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
server''s clock, adds up those of hours that are over, and trims paths (trim_paths). With the owner''s rights,
so that the gate needs none to make and drop tables.';

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

SELECT make_append_only('traffic_trim');
CREATE TRIGGER count_up BEFORE UPDATE ON traffic_path FOR EACH ROW EXECUTE FUNCTION refuse_uncount();
ALTER TABLE traffic_path ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON traffic_path FOR EACH STATEMENT
    WHEN (current_setting('crawltab.forgets_traffic', true) IS DISTINCT FROM 'yes')
    EXECUTE FUNCTION refuse_change();
ALTER TABLE traffic_path ENABLE ALWAYS TRIGGER append_only;

REVOKE ALL ON FUNCTION count_paths, trim_paths FROM PUBLIC;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT ON traffic_path TO %I', current_setting('crawltab.operator_role'));
    EXECUTE format('GRANT EXECUTE ON FUNCTION count_paths TO %I', current_setting('crawltab.gate_role'));
END
$$;
