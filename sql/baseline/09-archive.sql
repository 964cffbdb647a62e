-- Old days of entries leave the database for a file, and can come back. What leaves is on record for ever,
-- and its day takes no entry while it is away.

CREATE TABLE archive (
    archive_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    utc_date date NOT NULL,
    event text NOT NULL CHECK (event IN ('archived', 'restored')),
    entries bigint NOT NULL CHECK (entries >= 0),
    sum_micros bigint NOT NULL CHECK (sum_micros >= 0),
    rows_digest bytea NOT NULL CHECK (octet_length(rows_digest) = 32),
    file_digest bytea NOT NULL CHECK (octet_length(file_digest) = 32),
    file text NOT NULL CHECK (file <> ''),
    happened_at timestamptz NOT NULL,
    actor text NOT NULL
);
COMMENT ON TABLE archive IS 'Partitions that left for a file or came back. The newest row of a date says
which.';
COMMENT ON COLUMN archive.rows_digest IS 'Over the rows, made by the database itself: what comes back must
be what left, whoever brings it.';
COMMENT ON COLUMN archive.file_digest IS 'SHA-256 of the file.';
CREATE INDEX archive_date ON archive (utc_date, archive_id);

CREATE VIEW archived AS
SELECT * FROM (SELECT DISTINCT ON (utc_date) * FROM archive ORDER BY utc_date, archive_id DESC) AS newest
 WHERE event = 'archived';
COMMENT ON VIEW archived IS 'Days whose entries are in a file now.';

CREATE FUNCTION charge_digest(target regclass, OUT entries bigint, OUT sum_micros bigint,
                                         OUT digest bytea)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
BEGIN
    EXECUTE format(
        'SELECT coalesce(sum(n), 0), coalesce(sum(s), 0),'
        '       sha256(coalesce(string_agg(d, '''' ORDER BY g), ''''))'
        '  FROM (SELECT g, count(*) AS n, sum(amount_micros) AS s,'
        '               sha256(string_agg(sha256(convert_to(jsonb_strip_nulls(line)::text, ''UTF8'')), '''''
        '                                 ORDER BY payment_id)) AS d'
        '          FROM (SELECT payment_id, amount_micros, to_jsonb(c) AS line,'
        '                       (row_number() OVER (ORDER BY payment_id) - 1) / 1000 AS g FROM %s c) AS entry'
        '         GROUP BY g) AS page', target) INTO entries, sum_micros, digest;
END
$$;
COMMENT ON FUNCTION charge_digest IS 'Of the rows in the order of their ids: SHA-256 over the digests of each
thousand, so that no value grows with the day. Columns that are NULL do not count: a column that a later
migration adds changes no digest.';

CREATE FUNCTION archive_day(of_date date, file_entries bigint, file_sum_micros bigint,
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

CREATE FUNCTION archive_restore_begin(of_date date) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    LOCK TABLE public.archive IN SHARE ROW EXCLUSIVE MODE;
    IF NOT EXISTS (SELECT FROM public.archived WHERE utc_date = of_date) THEN
        RAISE EXCEPTION 'the entries of % (UTC) are not archived', of_date
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'crawltab archive list tells what is.';
    END IF;
    EXECUTE format('CREATE TABLE public.%I (LIKE public.charge INCLUDING ALL)',
                   public.charge_partition(of_date));
    PERFORM public.day_partition_make(parent, of_date)
       FROM unnest(ARRAY['delivery', 'delivery_tile', 'interim_fact', 'interim_tile']) AS parent;
END
$$;
COMMENT ON FUNCTION archive_restore_begin IS 'Makes the table for the entries of an archived day, which is not
part of the ledger yet, and the partitions for what was recorded of their delivery and for the lists of their
interim checkpoints.';

CREATE FUNCTION archive_restore_rows(of_date date, lines text[]) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF public.charge_partition_attached(of_date) THEN
        RAISE EXCEPTION 'the entries of % (UTC) are in the ledger', of_date
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('INSERT INTO public.%1$I SELECT entry.* FROM unnest($1) AS line,'
                   ' jsonb_populate_record(NULL::public.%1$I, line::jsonb) AS entry',
                   public.charge_partition(of_date)) USING lines;
    EXECUTE format('INSERT INTO public.%1$I SELECT delivery.* FROM unnest($1) AS line,'
                   ' jsonb_populate_recordset(NULL::public.%1$I, line::jsonb -> ''deliveries'') AS delivery',
                   public.day_partition('delivery', of_date)) USING lines;
END
$$;
COMMENT ON FUNCTION archive_restore_rows IS 'Adds entries to the table of archive_restore_begin, each a JSON
object as the archive''s file has it, with what was recorded of their delivery.';

CREATE FUNCTION archive_restore_end(of_date date, of_file text, at_ms bigint, by_actor text)
    RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    away public.archived;
    found record;
BEGIN
    SELECT * INTO STRICT away FROM public.archived WHERE utc_date = of_date;
    SELECT * INTO found
      FROM public.charge_digest(format('public.%I', public.charge_partition(of_date))::regclass);
    IF (found.entries, found.sum_micros, found.digest) IS DISTINCT FROM
       (away.entries, away.sum_micros, away.rows_digest) THEN
        RAISE EXCEPTION 'these are not the entries of % (UTC) that were archived', of_date
            USING ERRCODE = 'data_exception';
    END IF;
    INSERT INTO public.archive (utc_date, event, entries, sum_micros, rows_digest, file_digest, file,
                                happened_at, actor)
    VALUES (of_date, 'restored', away.entries, away.sum_micros, away.rows_digest, away.file_digest, of_file,
            public.instant(at_ms), by_actor);
    PERFORM public.charge_partition_attach(of_date);
    INSERT INTO public.delivery_tile (site_id, local_date, first_id, deliveries)
    SELECT d.site_id, d.local_date, t.first_id, t.deliveries
      FROM public.day_delivery d CROSS JOIN LATERAL public.billing_day(d.site_id, d.local_date) AS b
     CROSS JOIN LATERAL public.delivery_tiles(
               d.site_id,
               greatest(b.first_id, public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC')),
               least(b.end_id, public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC'))) AS t
     WHERE b.starts_at < (of_date + 1)::timestamp AT TIME ZONE 'UTC'
       AND b.ends_at > of_date::timestamp AT TIME ZONE 'UTC';
    -- Those of an older version may reach into a day that is still away.
    INSERT INTO public.interim_tile (site_id, number, first_id, tile, entries)
    SELECT i.site_id, i.number, i.first_id, t.tile, t.entries
      FROM public.interim i CROSS JOIN LATERAL public.interim_tiles(i.site_id, i.first_id, i.end_id) AS t
     WHERE i.first_id < public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC')
       AND i.end_id > public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC')
       AND NOT EXISTS (SELECT FROM public.interim_tile t WHERE t.site_id = i.site_id
                          AND t.number = i.number AND t.first_id = i.first_id)
       AND NOT EXISTS (SELECT FROM public.archived v
                        WHERE public.uuid_floor((v.utc_date + 1)::timestamp AT TIME ZONE 'UTC') > i.first_id
                          AND public.uuid_floor(v.utc_date::timestamp AT TIME ZONE 'UTC') < i.end_id);
END
$$;
COMMENT ON FUNCTION archive_restore_end IS 'Attaches what archive_restore_rows has brought, if it is what
left, and makes the tiles of its deliveries and of its interim checkpoints again, which must be what was
signed. All three are called in one transaction.';

SELECT make_append_only('archive');

REVOKE ALL ON FUNCTION archive_day, archive_restore_begin, archive_restore_end, archive_restore_rows FROM
    PUBLIC;
