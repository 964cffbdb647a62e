-- Days that close: the seal that stops writing into them, their close, and what proves afterwards that
-- nothing was changed.

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

CREATE FUNCTION refuse_sealed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'entries this old are made in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NEW.payment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of entry "%" is sealed', NEW.payment_id
            USING ERRCODE = 'check_violation', HINT = 'Corrections are adjustments of a later day.';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION refuse_sealed IS 'Trigger of each partition (guard_seals): refuses an entry of a day
that its site has sealed.';

CREATE FUNCTION guard_seals(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- One at a time: who adds a partition does not miss a seal that is just being made. Writers do not wait,
    -- and a vacuum or an archive at work on a partition is not waited for.
    LOCK TABLE ONLY charge IN SHARE UPDATE EXCLUSIVE MODE;
    EXECUTE format('CREATE OR REPLACE TRIGGER sealed AFTER INSERT ON %s FOR EACH ROW'
                   ' WHEN (NEW.payment_id < %L::uuid) EXECUTE FUNCTION public.refuse_sealed()', target,
                   coalesce((SELECT end_id FROM day_seal ORDER BY end_id DESC LIMIT 1),
                            '00000000-0000-0000-0000-000000000000'));
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER sealed', target);
END
$$;
COMMENT ON FUNCTION guard_seals IS 'For each partition of charge, when it is added and when a seal reaches
into it: its trigger asks for the seals of an entry''s site if the entry is below the newest seal of all. Also
for replicas'' sessions. Fires for a statement that names the partition, and for one that names the parent.';

CREATE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp
    SET lock_timeout = '2s' AS $$
DECLARE
    sealed day;
    newest uuid;
    parts regclass[];
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
    LOCK TABLE ONLY charge IN SHARE UPDATE EXCLUSIVE MODE; -- as guard_seals does
    SELECT end_id INTO newest FROM day_seal ORDER BY end_id DESC LIMIT 1;
    -- The day's partitions, and those between the newest seal and this one, whose triggers must know it.
    SELECT array_agg(inhrelid::regclass ORDER BY relname) INTO parts
      FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
     WHERE inhparent = 'charge'::regclass
       AND relname <= charge_partition((sealed.ends_at AT TIME ZONE 'UTC' - interval '1 microsecond')::date)
       AND (newest IS NULL OR relname >= charge_partition(
                (least(sealed.starts_at, uuid_instant(newest)) AT TIME ZONE 'UTC')::date));
    -- A statement that checked its entries before this seal was there may not have committed yet. It holds a
    -- lock on the partitions it writes to, so these wait for it; who comes later sees the seal. Longer than
    -- deadlock_timeout, after which a vacuum in the way gives up.
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', part);
    END LOOP;
    INSERT INTO day_seal (site_id, local_date, end_id, sealed_at)
    VALUES (of_site, of_date, uuid_floor(sealed.ends_at), instant(due_ms)) ON CONFLICT DO NOTHING;
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM guard_seals(part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION seal_day IS 'Seals a day, in order, in a transaction that is committed at once: what it
locks keeps the gates waiting. With the owner''s rights, since the operator''s role may not lock.';

REVOKE ALL ON FUNCTION seal_day FROM PUBLIC;

CREATE TABLE day_close (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    close_number bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries >= 0),
    sum_micros bigint NOT NULL CHECK (sum_micros >= 0),
    closed_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, local_date),
    UNIQUE (site_id, close_number),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_close IS 'A closed day. Its key is what makes closing twice impossible.';
COMMENT ON COLUMN day_close.close_number IS 'The order in which the site''s days were closed: what carry
follows.';

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
COMMENT ON COLUMN checkpoint.leaf IS 'The log''s entry, in the form that leaf.h describes: it holds the
day''s instants, count, sum and root.';
COMMENT ON COLUMN checkpoint.log_root IS 'Root of the tree over the leaves of the log''s first log_size
days.';
COMMENT ON COLUMN checkpoint.note IS 'Size and root of the log, signed (c2sp.org/tlog-checkpoint).';
COMMENT ON COLUMN checkpoint.verifier_key IS 'The public key of that signature (c2sp.org/signed-note).';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['day_seal', 'day_close', 'day_tile', 'checkpoint']) AS name;
