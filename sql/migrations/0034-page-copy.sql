-- A crawler that comes back for a page that it has paid, and that has not changed, gets it for nothing where
-- a rule says so (free_recrawl): what it was given is remembered by URL and validator. That lies in
-- partitions of the same days as the entries, and leaves with them: what is looked for is among the last
-- days, and no index that is read grows with history.

CREATE TABLE page_copy (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL,
    crawler_id bigint NOT NULL,
    copy bytea NOT NULL CHECK (octet_length(copy) = 32),
    whole boolean NOT NULL,
    repeats uuid
) PARTITION BY RANGE (payment_id);
COMMENT ON TABLE page_copy IS 'What payments were for, where a page that has not changed is free for some
time after it was paid. Written before the entry: a row without an entry means nothing.';
COMMENT ON COLUMN page_copy.copy IS 'SHA-256 of the URL and of the strong validator (ETag) with it.';
COMMENT ON COLUMN page_copy.whole IS 'It was the whole page, and no range of it.';
COMMENT ON COLUMN page_copy.repeats IS 'The payment for the same copy by the same crawler because of which
this one costs nothing. NULL: it was to be paid.';
CREATE INDEX page_copy_paid ON page_copy (crawler_id, copy, payment_id) WHERE repeats IS NULL AND whole;
SELECT make_append_only('page_copy');

-- Partitions --------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION day_tables() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['page_copy'];
COMMENT ON FUNCTION day_tables IS 'Tables beside charge that are parted by the UTC days of payment ids, too:
what a day has in them goes when its entries go.';

CREATE OR REPLACE FUNCTION day_partition(parent text, of_date date) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN parent || '_' || to_char(of_date, 'YYYYMMDD');
COMMENT ON FUNCTION day_partition IS 'Name of a table''s partition with what belongs to a UTC day.';

CREATE OR REPLACE FUNCTION day_partition_make(parent text, of_date date) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text := public.day_partition(parent, of_date);
BEGIN
    IF to_regclass('public.' || name) IS NULL THEN
        EXECUTE format('CREATE TABLE public.%I (LIKE public.%I INCLUDING ALL)', name, parent);
        PERFORM public.make_append_only(format('public.%I', name)::regclass);
        EXECUTE format('ALTER TABLE public.%I ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       parent, name, public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC'),
                       public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC'));
    END IF;
END
$$;
COMMENT ON FUNCTION day_partition_make IS 'Makes the partition of a UTC day of one of day_tables, if it is not
there.';

CREATE OR REPLACE FUNCTION charge_partitions(first_date date, last_date date) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    made integer := 0;
    at date;
    name text;
BEGIN
    IF last_date - first_date NOT BETWEEN 0 AND 40 THEN
        RAISE EXCEPTION 'charge_partitions: % to % are not 1 to 41 days', first_date, last_date
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A gate that has fallen must not fill the catalogue. Twenty years back, for ledgers made from old
    -- entries.
    IF first_date < current_date - 7305 OR last_date > current_date + 60 THEN
        RAISE EXCEPTION 'charge_partitions: % to % are too far from today', first_date, last_date
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Is the clock of the gate right?';
    END IF;
    FOR i IN 0 .. last_date - first_date LOOP
        at := first_date + i;
        CONTINUE WHEN NOT EXISTS (SELECT FROM unnest('charge'::text || public.day_tables()) AS parent
                                   WHERE to_regclass('public.' || public.day_partition(parent, at)) IS NULL);
        -- Two gates start together: the second waits here and then finds the tables. Writers do not wait.
        LOCK TABLE public.charge IN SHARE UPDATE EXCLUSIVE MODE;
        -- An empty partition would let the day's payments be made again.
        CONTINUE WHEN EXISTS (SELECT FROM public.archived WHERE utc_date = at);
        PERFORM public.day_partition_make(parent, at) FROM unnest(public.day_tables()) AS parent;
        name := public.charge_partition(at);
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.charge INCLUDING ALL)', name);
        PERFORM public.charge_partition_attach(at);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION charge_partitions IS 'Makes the missing partitions for a range of UTC days, both
included, those of day_tables too, and returns how many of charge. With the owner''s rights, so that the gate
needs none to create tables.';

CREATE OR REPLACE FUNCTION archive_day(of_date date, file_entries bigint, file_sum_micros bigint,
                                       of_file_digest bytea, of_file text, at_ms bigint, by_actor text)
    RETURNS void
    LANGUAGE plpgsql
    SET search_path = pg_catalog, public, pg_temp SET lock_timeout = '1s' AS $$
DECLARE
    name text := public.charge_partition(of_date);
    lower timestamptz := of_date::timestamp AT TIME ZONE 'UTC';
    upper timestamptz := (of_date + 1)::timestamp AT TIME ZONE 'UTC';
    found record;
    parent text;
BEGIN
    IF NOT public.charge_partition_attached(of_date) THEN
        RAISE EXCEPTION 'the ledger has no entries of % (UTC) that could be archived', of_date
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'crawltab archive list tells what is away.';
    END IF;
    -- Nobody writes into a day that is closed; this keeps out whoever does not know.
    EXECUTE format('LOCK TABLE public.%I IN SHARE MODE', name);
    EXECUTE format(
        'SELECT count(*) FILTER (WHERE d.closed) AS closed, count(*) FILTER (WHERE NOT d.closed) AS open,'
        '       (SELECT count(*) FROM (SELECT DISTINCT site_id FROM public.%I) s WHERE NOT EXISTS'
        '           (SELECT FROM public.day d'
        '             WHERE d.site_id = s.site_id AND starts_at < $2 AND ends_at > $1))'
        '           AS without'
        '  FROM (SELECT EXISTS (SELECT FROM public.day_close c WHERE c.site_id = day.site_id'
        '                          AND c.local_date = day.local_date) AS closed'
        '          FROM public.day WHERE starts_at < $2 AND ends_at > $1) AS d', name)
        INTO found USING lower, upper;
    IF found.closed = 0 OR found.open > 0 OR found.without > 0 THEN
        RAISE EXCEPTION 'not every day of every site that % (UTC) is part of is closed', of_date
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Run crawltab nightly first.';
    END IF;
    SELECT * INTO found FROM public.charge_digest(format('public.%I', name)::regclass);
    IF found.entries <> file_entries OR found.sum_micros <> file_sum_micros THEN
        RAISE EXCEPTION 'the file has % entries for % micro-units, the ledger % for %', file_entries,
            file_sum_micros, found.entries, found.sum_micros USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO public.archive (utc_date, event, entries, sum_micros, rows_digest, file_digest, file,
                                happened_at, actor)
    VALUES (of_date, 'archived', found.entries, found.sum_micros, found.digest, of_file_digest, of_file,
            public.instant(at_ms), by_actor);
    EXECUTE format('ALTER TABLE public.charge DETACH PARTITION public.%I', name);
    EXECUTE format('DROP TABLE public.%I', name);
    FOREACH parent IN ARRAY public.day_tables() LOOP
        EXECUTE format('DROP TABLE IF EXISTS public.%I', public.day_partition(parent, of_date));
    END LOOP;
END
$$;
COMMENT ON FUNCTION archive_day IS 'Lets a day''s entries go, whose file is complete, and what day_tables have
of it. Gates wait for a second at most: if a long reader is in the way, it gives up.';

REVOKE ALL ON FUNCTION day_partition_make FROM PUBLIC;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    PERFORM day_partition_make('page_copy', to_date(right(relname, 8), 'YYYYMMDD'))
       FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE inhparent = 'charge'::regclass;
    EXECUTE format('GRANT SELECT, INSERT ON page_copy TO %I', gate);
    EXECUTE format('GRANT SELECT ON page_copy TO %I', night);
END
$$;
