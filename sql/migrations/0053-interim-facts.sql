-- Interim checkpoints cover the facts of the open day, too, and their lists leave with the entries of their
-- day: nothing of them stays for ever but a row of some hundred bytes.
-- Gates since 46 go on.

ALTER TABLE interim ADD COLUMN facts bigint CHECK (facts >= 0),
    ADD COLUMN facts_digest bytea CHECK (octet_length(facts_digest) = 32),
    ADD CONSTRAINT interim_facts CHECK ((facts IS NULL) = (facts_digest IS NULL));
COMMENT ON COLUMN interim.facts IS 'How many rows of interim_fact it has. NULL: it is of an older version.';
COMMENT ON COLUMN interim.facts_digest IS 'SHA-256 over the digests of its rows of interim_fact, in the order
of their sources and keys, byte by byte.';
COMMENT ON TABLE interim IS 'Interim checkpoints: entries of a site with ids from first_id to before end_id,
as they were when nothing could be added to them any more, minutes after they were made; and the facts that no
day had sealed and none of them had listed before.';

ALTER TABLE interim_tile RENAME TO interim_tile_before;
ALTER INDEX interim_tile_pkey RENAME TO interim_tile_before_pkey;
CREATE TABLE interim_tile (
    site_id bigint NOT NULL,
    number bigint NOT NULL,
    first_id uuid NOT NULL,
    tile bigint NOT NULL CONSTRAINT interim_tile_tile_check CHECK (tile >= 0),
    entries bytea NOT NULL CONSTRAINT interim_tile_entries_check
        CHECK (octet_length(entries) >= 24 AND octet_length(entries) <= 6144
               AND octet_length(entries) % 24 = 0),
    PRIMARY KEY (first_id, site_id, number, tile)
) PARTITION BY RANGE (first_id);
COMMENT ON TABLE interim_tile IS 'The entries of an interim checkpoint in the order of their ids, up to 256 in
a row: 16 bytes of payment id and the first 8 of the SHA-256 of the entry as JSON, by which one that was
changed, removed or added is named. They leave with the entries of the UTC day in which the checkpoint
begins.';
SELECT make_append_only('interim_tile');

CREATE TABLE interim_fact (
    site_id bigint NOT NULL,
    number bigint NOT NULL,
    first_id uuid NOT NULL,
    source text NOT NULL,
    key text NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    PRIMARY KEY (first_id, site_id, number, source, key)
) PARTITION BY RANGE (first_id);
COMMENT ON TABLE interim_fact IS 'The facts of an interim checkpoint, as their notes were. They leave with the
entries of the UTC day in which the checkpoint begins: by then a closed day has sealed them.';
SELECT make_append_only('interim_fact');

CREATE OR REPLACE FUNCTION day_tables() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['delivery', 'delivery_tile', 'handover', 'interim_fact', 'interim_tile', 'page_copy',
                 'payment_identifier'];
COMMENT ON FUNCTION day_tables IS 'Tables beside charge that are parted by the UTC days of payment ids, too:
what a day has in them goes when its entries go.';

CREATE OR REPLACE FUNCTION interim_tiles(of_site bigint, from_id uuid, to_id uuid)
    RETURNS TABLE (tile bigint, entries bytea, sum_micros bigint)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
    SELECT l.tile,
           string_agg(uuid_send(l.payment_id)
                      || substr(sha256(convert_to(jsonb_strip_nulls(l.line)::text, 'UTF8')), 1, 8),
                      ''::bytea ORDER BY l.payment_id),
           sum(l.amount_micros)::bigint
      FROM (SELECT c.payment_id, c.amount_micros, to_jsonb(c) AS line,
                   (row_number() OVER (ORDER BY c.payment_id) - 1) / 256 AS tile
              FROM charge c
             WHERE c.site_id = of_site AND c.payment_id >= from_id AND c.payment_id < to_id) AS l
     GROUP BY l.tile
$$;
COMMENT ON FUNCTION interim_tiles IS 'Rows of interim_tile as the entries of a site make them, whose ids are
from from_id to before to_id, and what each comes to.';

CREATE OR REPLACE FUNCTION open_facts(of_site bigint) RETURNS TABLE (source text, key text, digest bytea)
    LANGUAGE sql STABLE AS $$
    SELECT f.source, f.key, f.digest
      FROM fact f
     WHERE f.made_at >= interval '-2 days' + coalesce(
               (SELECT d.sealed_at FROM day_fact d
                 WHERE d.site_id = of_site ORDER BY d.local_date DESC LIMIT 1),
               (SELECT least(newest.sealed_at, own.made_at)
                  FROM (SELECT max(d.sealed_at) AS sealed_at FROM day_fact d) AS newest
                  JOIN fact own ON own.source = 'site' AND own.key = of_site::text
                 WHERE newest.sealed_at IS NOT NULL), '-infinity')
       AND (f.site_id = of_site OR f.site_id IS NULL)
       AND NOT EXISTS (SELECT FROM day_fact d WHERE d.source = f.source AND d.key = f.key)
$$;
COMMENT ON FUNCTION open_facts IS 'The facts of a site, and of none, that no closed day has sealed. A row is
noted when it is made, and seen here when it is committed: no transaction lasts as long as the two days that
are looked back over. Before a site''s first close it is looked back to where the site begins, or, for what is
of no site, to the newest seal.';

CREATE OR REPLACE FUNCTION archive_restore_begin(of_date date) RETURNS void
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

CREATE OR REPLACE FUNCTION archive_restore_end(of_date date, of_file text, at_ms bigint, by_actor text)
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

-- Where only lists are left, since the entries are in a file, there is no partition: the lists leave, too.
SELECT day_partition_make(parent, to_date(right(relname, 8), 'YYYYMMDD'))
  FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
 CROSS JOIN unnest(ARRAY['interim_fact', 'interim_tile']) AS parent
 WHERE inhparent = 'charge'::regclass;
INSERT INTO interim_tile (site_id, number, first_id, tile, entries)
SELECT t.site_id, t.number, i.first_id, t.tile, t.entries
  FROM interim_tile_before t JOIN interim i USING (site_id, number)
 WHERE to_regclass('interim_tile_' || to_char(uuid_instant(i.first_id) AT TIME ZONE 'UTC', 'YYYYMMDD'))
       IS NOT NULL;
DROP TABLE interim_tile_before;

DO $$
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON interim_tile, interim_fact TO %I',
                   current_setting('crawltab.operator_role'));
END
$$;
