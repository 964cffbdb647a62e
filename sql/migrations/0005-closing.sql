-- Days that close: the zone that ends them, the seal that stops writing into them, and what proves afterwards
-- that nothing was changed.

-- Zones -------------------------------------------------------------------------------------------------

CREATE TABLE site_zone (
    site_id bigint NOT NULL REFERENCES site,
    version integer NOT NULL CHECK (version > 0),
    from_date date NOT NULL,
    time_zone text NOT NULL CHECK (timestamptz 'epoch' AT TIME ZONE time_zone IS NOT NULL),
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (site_id, version)
);
COMMENT ON TABLE site_zone IS 'Changes of a site''s time zone. A local date is of the highest version whose
from_date is not after it, or of site.time_zone. Days that were made keep their instants: a version counts
for days that are made after it was recorded.';

CREATE FUNCTION site_days(of_site bigint, first_date date, last_date date, first_starts_at timestamptz)
    RETURNS TABLE (local_date date, starts_at timestamptz, ends_at timestamptz, time_zone text)
    LANGUAGE sql STABLE AS $$
    SELECT tiled.local_date, tiled.starts_at, tiled.ends_at, tiled.time_zone
      FROM (SELECT planned.local_date, planned.time_zone, planned.ends_at,
                   coalesce(greatest(first_starts_at, max(planned.ends_at) OVER (ORDER BY planned.local_date
                                         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)),
                            planned.local_date::timestamp AT TIME ZONE planned.time_zone) AS starts_at
              FROM (SELECT at::date AS local_date, zone.time_zone,
                           (at + interval '1 day') AT TIME ZONE zone.time_zone AS ends_at
                      FROM site
                     CROSS JOIN generate_series(first_date::timestamp, last_date::timestamp,
                                                interval '1 day') AS at
                     CROSS JOIN LATERAL (SELECT coalesce((SELECT z.time_zone FROM site_zone z
                                             WHERE z.site_id = site.site_id AND z.from_date <= at
                                             ORDER BY z.version DESC LIMIT 1), site.time_zone)
                                        ) AS zone (time_zone)
                     WHERE site.site_id = of_site) AS planned) AS tiled
     WHERE tiled.starts_at < tiled.ends_at
$$;
COMMENT ON FUNCTION site_days IS 'The billing days of a range of local dates. Each ends at the midnight that
its zone gives it and starts where the one before it ends, the first at first_starts_at (NULL: its midnight):
so they tile whatever zones and their rules do. A date that a zone or a change of zone skips (Pacific/Apia
2011-12-30) has no length and is left out; the first day of a new zone is shorter or longer.';

-- Seals -------------------------------------------------------------------------------------------------

CREATE TABLE day_seal (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    end_id uuid NOT NULL,
    sealed_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, local_date),
    UNIQUE (site_id, end_id),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_seal IS 'Days that nobody can write into any more, because they are about to be closed:
no new entry of the site may have an id below its highest end_id.';
COMMENT ON COLUMN day_seal.end_id IS 'The lowest payment id after the day.';
COMMENT ON COLUMN day_seal.sealed_at IS 'When the day became due: the same however often the night is run.';
CREATE INDEX day_seal_end ON day_seal (end_id);
SELECT make_append_only('day_seal');

CREATE FUNCTION refuse_sealed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    late uuid;
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries are made in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    -- What is written now is an hour younger than the newest seal of any site: this one pass is all there is
    -- to do.
    PERFORM FROM inserted WHERE payment_id < (SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1);
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT i.payment_id INTO late FROM inserted i
     WHERE i.payment_id < (SELECT s.end_id FROM day_seal s
                            WHERE s.site_id = i.site_id ORDER BY s.end_id DESC LIMIT 1)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the day of entry "%" is sealed', late
            USING ERRCODE = 'check_violation', HINT = 'Corrections are adjustments of a later day.';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION guard_seals(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER sealed AFTER INSERT ON %s REFERENCING NEW TABLE AS inserted'
                   ' FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_sealed()', target);
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER sealed', target);
END
$$;
COMMENT ON FUNCTION guard_seals IS 'Like make_append_only: also for replicas'' sessions, and for each
partition by itself. A statement that names the parent fires the parent''s trigger alone.';

SELECT guard_seals('charge');
SELECT guard_seals(inhrelid::regclass) FROM pg_inherits WHERE inhparent = 'charge'::regclass;

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
    FOR i IN 0 .. last_date - first_date LOOP
        at := first_date + i;
        name := 'charge_' || to_char(at, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- Two gates start together: the second waits here and then finds the table. Writers do not wait.
        LOCK TABLE public.charge IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE public.charge INCLUDING ALL)', name);
        PERFORM public.make_append_only(format('public.%I', name)::regclass);
        PERFORM public.guard_seals(format('public.%I', name)::regclass);
        -- ATTACH takes a weaker lock on the parent than PARTITION OF: a running export does not stop the
        -- gate.
        EXECUTE format('ALTER TABLE public.charge ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)',
                       name, public.uuid_floor(at::timestamp AT TIME ZONE 'UTC'),
                       public.uuid_floor((at + 1)::timestamp AT TIME ZONE 'UTC'));
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;

CREATE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    sealed day;
    at date;
    part regclass;
BEGIN
    SELECT * INTO sealed FROM day WHERE site_id = of_site AND local_date = of_date;
    IF NOT FOUND OR instant(due_ms) < sealed.ends_at THEN
        RAISE EXCEPTION 'day % of site number % is not there, or not over', of_date, of_site
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM FROM day d WHERE site_id = of_site AND local_date < of_date
        AND NOT EXISTS (SELECT FROM day_close c
                         WHERE c.site_id = of_site AND c.local_date = d.local_date);
    IF FOUND THEN
        RAISE EXCEPTION 'an earlier day of site number % is open', of_site
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- A statement that checked its entries before this seal was there may not have committed yet. It holds a
    -- lock on the partitions it writes to, so these wait for it; who comes later sees the seal. Longer than
    -- deadlock_timeout, after which a vacuum in the way gives up.
    at := (sealed.starts_at AT TIME ZONE 'UTC')::date;
    WHILE at <= (sealed.ends_at AT TIME ZONE 'UTC')::date LOOP
        part := to_regclass('public.charge_' || to_char(at, 'YYYYMMDD'));
        IF part IS NOT NULL THEN
            EXECUTE format('LOCK TABLE %s IN SHARE MODE', part);
        END IF;
        at := at + 1;
    END LOOP;
    INSERT INTO day_seal (site_id, local_date, end_id, sealed_at)
    VALUES (of_site, of_date, uuid_floor(sealed.ends_at), instant(due_ms)) ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION seal_day IS 'Seals a day, in order, in a transaction that is committed at once: what it
locks keeps the gates waiting. With the owner''s rights, since the operator''s role may not lock.';
REVOKE ALL ON FUNCTION seal_day FROM PUBLIC;

INSERT INTO day_seal (site_id, local_date, end_id, sealed_at)
SELECT site_id, local_date, uuid_floor(ends_at), closed_at
  FROM day_close JOIN day USING (site_id, local_date);

-- Proofs ------------------------------------------------------------------------------------------------

CREATE TABLE day_tile (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    tile integer NOT NULL CHECK (tile >= 0),
    first_id uuid NOT NULL,
    entries smallint NOT NULL CHECK (entries BETWEEN 1 AND 256),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (site_id, local_date, tile)
);
COMMENT ON TABLE day_tile IS 'The tree over a closed day''s entries (RFC 6962 section 2.1, leaves in the
order of their ids), at height 8: the hash over 256 entries, over fewer in the last tile. With them one
entry''s proof needs no more than its own 256 entries, and a change in the entries is found to 256.';

CREATE TABLE checkpoint (
    site_id bigint NOT NULL,
    log_size bigint NOT NULL CHECK (log_size > 0),
    local_date date NOT NULL,
    day_root bytea NOT NULL CHECK (octet_length(day_root) = 32),
    leaf bytea NOT NULL CHECK (octet_length(leaf) BETWEEN 1 AND 65535),
    log_root bytea NOT NULL CHECK (octet_length(log_root) = 32),
    note text NOT NULL,
    verifier_key text NOT NULL,
    PRIMARY KEY (site_id, log_size),
    UNIQUE (site_id, local_date),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE checkpoint IS 'A site''s log of closed days: entry number log_size - 1 and what was signed
when it had been added.';
COMMENT ON COLUMN checkpoint.day_root IS 'Root of the tree over the day''s entries.';
COMMENT ON COLUMN checkpoint.leaf IS 'The log''s entry, as ledger/leaf.h defines it: it holds the day''s
instants, count, sum and root.';
COMMENT ON COLUMN checkpoint.log_root IS 'Root of the tree over the leaves of the log''s first log_size
days.';
COMMENT ON COLUMN checkpoint.note IS 'Size and root of the log, signed (c2sp.org/tlog-checkpoint).';
COMMENT ON COLUMN checkpoint.verifier_key IS 'The public key of that signature (c2sp.org/signed-note).';

SELECT make_append_only(name::regclass) FROM unnest(ARRAY['site_zone', 'day_tile', 'checkpoint']) AS name;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT ON site_zone, day_seal, day_tile, checkpoint TO %I, %I', gate, night);
    EXECUTE format('GRANT INSERT ON site_zone, day_tile, checkpoint TO %I', night);
    EXECUTE format('GRANT EXECUTE ON FUNCTION seal_day TO %I', night);
END
$$;
