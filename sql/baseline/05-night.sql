-- Days that close: the seal that stops writing into them, their close, and what proves afterwards that
-- nothing was changed.

CREATE TABLE day_seal (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    end_id uuid NOT NULL,
    due_at timestamptz NOT NULL,
    made_at timestamptz,
    PRIMARY KEY (site_id, local_date),
    UNIQUE (site_id, end_id),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_seal IS 'Days that nobody can write into any more, because they are about to be closed:
no new entry of the site may have an id below its highest end_id.';
COMMENT ON COLUMN day_seal.end_id IS 'The lowest payment id after the day.';
COMMENT ON COLUMN day_seal.due_at IS 'When the day could be sealed, the same however often the night is run.';
COMMENT ON COLUMN day_seal.made_at IS 'When it was. NULL: by a version that did not write it down.';
CREATE INDEX day_seal_end ON day_seal (end_id);

CREATE TABLE day_close (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    close_number bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries >= 0),
    sum_micros bigint NOT NULL CHECK (sum_micros >= 0),
    due_at timestamptz NOT NULL,
    made_at timestamptz,
    unproven bigint CHECK (unproven >= 0),
    PRIMARY KEY (site_id, local_date),
    UNIQUE (site_id, close_number),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_close IS 'A closed day. Its key is what makes closing twice impossible.';
COMMENT ON COLUMN day_close.close_number IS 'The order in which the site''s days were closed: what carry
follows.';
COMMENT ON COLUMN day_close.due_at IS 'When the day could be closed.';
COMMENT ON COLUMN day_close.made_at IS 'When it was, by the clock of the night that did. NULL: not known.';
COMMENT ON COLUMN day_close.unproven IS 'How many entries of the day are not proven, and not billed. NULL:
they were not judged.';

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

CREATE TABLE undelivered (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    status integer NOT NULL CHECK (status BETWEEN 0 AND 999),
    sent_bytes bigint NOT NULL CHECK (sent_bytes >= 0),
    length_bytes bigint CHECK (length_bytes >= 0),
    told_by text NOT NULL CHECK (told_by IN ('gate', 'front', 'log', 'server')),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    final_micros bigint CHECK (final_micros > 0)
);
COMMENT ON TABLE undelivered IS 'Payments of which something is taken back by the close of their day: all,
where the page was not delivered whole, and their ids open nothing any more; or what is above a final
amount.';
COMMENT ON COLUMN undelivered.status IS 'Of the answer of the site''s own server. 0: it gave none.';
COMMENT ON COLUMN undelivered.length_bytes IS 'How much should have been sent. NULL: not known.';
COMMENT ON COLUMN undelivered.told_by IS 'gate: it streamed the page itself. front: POST /undelivered of the
decision listener. log: crawltab undelivered --log. server: it sells by itself, and has settled nothing.';
COMMENT ON COLUMN undelivered.final_micros IS 'What is billed of the entry''s amount, always less: the page
was delivered, and its id still opens it. NULL: nothing, as it was not delivered whole.';
CREATE INDEX undelivered_site ON undelivered (site_id, payment_id);

CREATE TABLE unproven (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL,
    amount_micros bigint NOT NULL,
    reason text NOT NULL CHECK (reason ~ '^[a-z][a-z_]*$')
);
COMMENT ON TABLE unproven IS 'Entries that the close of their day found not to be what their signer signed.
No day bills them. A payment that is in no row here, and whose day is closed, is billed or was not judged
(day_close.unproven).';
COMMENT ON COLUMN unproven.crawler_id IS 'As the entry says, which may be whoever was not asked.';
COMMENT ON COLUMN unproven.reason IS 'The first check that failed, by its name (ledger/evidence/judge.h).';
CREATE INDEX unproven_site ON unproven (site_id, payment_id);

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

CREATE TABLE checkpoint_key_change (
    site_id bigint NOT NULL REFERENCES site,
    number bigint NOT NULL CHECK (number > 0),
    log_size bigint NOT NULL CHECK (log_size > 0),
    old_key text NOT NULL,
    new_key text NOT NULL,
    lost boolean NOT NULL,
    changed_at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    note text NOT NULL,
    PRIMARY KEY (site_id, number),
    CHECK (new_key <> old_key)
);
COMMENT ON TABLE checkpoint_key_change IS 'From log size log_size on a site''s checkpoints are signed by
new_key. The note says so over the log as it was, signed by the new key and, unless that was lost,
by the old one.';

CREATE TABLE fact (
    source text NOT NULL,
    key text NOT NULL,
    site_id bigint REFERENCES site,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    superuser text,
    PRIMARY KEY (source, key)
);
COMMENT ON TABLE fact IS 'A note of each row on which money depends, made with the row (note_facts): whoever
changes the row has to change the note too, and the tree of a closed day has that.';
COMMENT ON COLUMN fact.site_id IS 'NULL: of a table that is not about one site.';
COMMENT ON COLUMN fact.digest IS 'The hash of its leaf, as fact_digest makes it.';
COMMENT ON COLUMN fact.made_at IS 'By the server''s clock: those of the last days are looked through when a
day is closed, and no others.';
COMMENT ON COLUMN fact.superuser IS 'Who added the row, if it was a superuser, by whom no program of the
ledger works. NULL: a role of its own.';
CREATE INDEX fact_made ON fact (made_at);

CREATE TABLE day_fact (
    source text NOT NULL,
    key text NOT NULL,
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    sealed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, key),
    FOREIGN KEY (source, key) REFERENCES fact,
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_fact IS 'In which closed day''s tree a fact is; there, facts are in the order of their
sources and keys, byte by byte. What is of no site goes into the tree that is made next.';
COMMENT ON COLUMN day_fact.digest IS 'As it is in the tree. Who changes a row and its note is named by this.';
CREATE INDEX day_fact_day ON day_fact (site_id, local_date);
CREATE INDEX day_fact_sealed ON day_fact (sealed_at);

CREATE TABLE interim (
    site_id bigint NOT NULL REFERENCES site,
    number bigint NOT NULL CHECK (number > 0),
    first_id uuid NOT NULL,
    end_id uuid NOT NULL,
    entries bigint NOT NULL CHECK (entries >= 0),
    sum_micros bigint NOT NULL CHECK (sum_micros >= 0),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    made_at timestamptz NOT NULL,
    note text NOT NULL,
    verifier_key text NOT NULL,
    facts bigint CHECK (facts >= 0),
    facts_digest bytea CHECK (octet_length(facts_digest) = 32),
    PRIMARY KEY (site_id, number),
    UNIQUE (site_id, end_id),
    CHECK (first_id < end_id),
    CONSTRAINT interim_facts CHECK ((facts IS NULL) = (facts_digest IS NULL))
);
COMMENT ON TABLE interim IS 'Interim checkpoints: entries of a site with ids from first_id to before end_id,
as they were when nothing could be added to them any more, minutes after they were made; and the facts that no
day had sealed and none of them had listed before.';
COMMENT ON COLUMN interim.digest IS 'SHA-256 over the SHA-256 of each of its rows of interim_tile, in their
order.';
COMMENT ON COLUMN interim.note IS 'What was signed (ledger/proof/interim.h): all of the row, and the digest of
the text of the one before.';
COMMENT ON COLUMN interim.facts IS 'How many rows of interim_fact it has. NULL: it is of an older version.';
COMMENT ON COLUMN interim.facts_digest IS 'SHA-256 over the digests of its rows of interim_fact, in the order
of their sources and keys, byte by byte.';

CREATE TABLE interim_tile (
    site_id bigint NOT NULL,
    number bigint NOT NULL,
    first_id uuid NOT NULL,
    tile bigint NOT NULL CHECK (tile >= 0),
    entries bytea NOT NULL
        CHECK (octet_length(entries) >= 24 AND octet_length(entries) <= 6144
               AND octet_length(entries) % 24 = 0),
    PRIMARY KEY (first_id, site_id, number, tile)
) PARTITION BY RANGE (first_id);
COMMENT ON TABLE interim_tile IS 'The entries of an interim checkpoint in the order of their ids, up to 256 in
a row: 16 bytes of payment id and the first 8 of the SHA-256 of the entry as JSON, by which one that was
changed, removed or added is named. They leave with the entries of the UTC day in which the checkpoint
begins.';

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

CREATE VIEW billable AS
SELECT c.payment_id, c.site_id, c.crawler_id, c.amount_micros, c.rule
  FROM charge c WHERE NOT EXISTS (SELECT FROM unproven u WHERE u.payment_id = c.payment_id);
COMMENT ON VIEW billable IS 'The entries that are billed, or will be: all but those of unproven.';

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
            USING ERRCODE = 'check_violation',
                  HINT = 'A crawltab nightly whose clock was ahead has closed the day, or the gate''s clock'
                         ' is behind: set them right. Corrections are adjustments of a later day.';
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

CREATE FUNCTION undelivered_adjustment(of_site bigint, of_payment uuid) RETURNS uuid
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, public, pg_temp AS $$
    -- The last millisecond of the payment's day, and bits of its digest in the places where version and
    -- variant leave room.
    SELECT (left(hex, 8) || '-' || substr(hex, 9, 4) || '-7' || substr(digest, 1, 3) || '-8'
            || substr(digest, 4, 3) || '-' || substr(digest, 7, 12))::uuid
      FROM day d
     CROSS JOIN LATERAL (SELECT lpad(to_hex(instant_ms(d.ends_at) - 1), 12, '0') AS hex,
                                encode(sha256(uuid_send(of_payment)), 'hex') AS digest) AS part
     WHERE d.site_id = of_site AND d.starts_at <= uuid_instant(of_payment)
       AND d.ends_at > uuid_instant(of_payment)
$$;
COMMENT ON FUNCTION undelivered_adjustment IS 'The id of the adjustment that takes back what was paid for an
undelivered page: in the payment''s own day, and the same however often the close is begun.';

CREATE FUNCTION refuse_sealed_adjustment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.adjustment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                               ORDER BY end_id DESC LIMIT 1)
       -- A seal also fixes what was not delivered: the close that comes after it takes that back, once.
       AND NOT (NEW.kind = 'reversal'
                AND EXISTS (SELECT FROM undelivered u
                             WHERE u.payment_id = NEW.payment_id AND u.site_id = NEW.site_id
                               AND undelivered_adjustment(u.site_id, u.payment_id) = NEW.adjustment_id)
                AND NOT EXISTS (SELECT FROM day d JOIN day_close c USING (site_id, local_date)
                                 WHERE d.site_id = NEW.site_id AND d.starts_at <= uuid_instant(NEW.payment_id)
                                   AND d.ends_at > uuid_instant(NEW.payment_id))) THEN
        RAISE EXCEPTION 'the day of adjustment "%" is sealed', NEW.adjustment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_adjustment IS 'Trigger of adjustment: refuses one of a day that its site
has sealed, but for those that its close makes of what was not delivered.';

CREATE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint, made_ms bigint) RETURNS void
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
    -- What was not delivered is taken back by the close: from here on it is known what that is.
    LOCK TABLE undelivered IN SHARE ROW EXCLUSIVE MODE;
    -- The parent alone, as every batch of deliveries names it: those under way come to their end.
    LOCK TABLE ONLY delivery IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO day_seal (site_id, local_date, end_id, due_at, made_at)
    VALUES (of_site, of_date, uuid_floor(sealed.ends_at), instant(due_ms), instant(made_ms))
    ON CONFLICT DO NOTHING;
    FOREACH part IN ARRAY coalesce(parts, '{}') LOOP
        PERFORM guard_seals(part);
    END LOOP;
END
$$;
COMMENT ON FUNCTION seal_day IS 'Seals a day, in order, in a transaction that is committed at once: what it
locks keeps the gates waiting. With the owner''s rights, since the operator''s role may not lock.';

CREATE FUNCTION refuse_sealed_undelivered() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'undelivered pages are recorded in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF NEW.payment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of payment "%" is sealed', NEW.payment_id
            USING ERRCODE = 'check_violation', HINT = 'Take it back with crawltab adjust.';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_undelivered IS 'Trigger of undelivered: refuses a payment of a day that its
site has sealed.';

CREATE FUNCTION fact_sources() RETURNS TABLE (source text, keys text[], of_site boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    VALUES ('adjustment', ARRAY['adjustment_id'], true),
           ('agreement', ARRAY['agreement_id'], true),
           ('agreement_price', ARRAY['agreement_id', 'position'], false),
           ('agreement_tier', ARRAY['agreement_id', 'from_crawl'], false),
           ('applied_credit', ARRAY['site_id', 'number', 'from_number', 'step'], true),
           ('archive', ARRAY['archive_id'], false),
           ('checkpoint_key_change', ARRAY['site_id', 'number'], true),
           ('console_token', ARRAY['name'], false),
           ('console_token_revocation', ARRAY['name'], false),
           ('crawler', ARRAY['crawler_id'], false),
           ('crawler_key', ARRAY['crawler_id', 'thumbprint'], false),
           ('crawler_key_source', ARRAY['crawler_id', 'thumbprint', 'url', 'body_digest'], false),
           ('day_close', ARRAY['site_id', 'local_date'], true),
           ('day_delivery', ARRAY['site_id', 'local_date'], true),
           ('day_seal', ARRAY['site_id', 'local_date'], true),
           ('directory_snapshot', ARRAY['url', 'body_digest'], false),
           ('dispute', ARRAY['dispute_id'], true),
           ('dispute_event', ARRAY['dispute_id', 'step'], true),
           ('dispute_finding', ARRAY['dispute_id', 'payment_id'], true),
           ('dispute_subject', ARRAY['dispute_id', 'position'], true),
           ('invoice', ARRAY['site_id', 'number'], true),
           ('invoice_event', ARRAY['site_id', 'number', 'step'], true),
           ('invoice_line', ARRAY['site_id', 'number', 'line'], true),
           ('invoice_payment', ARRAY['site_id', 'number', 'reference'], true),
           ('offer_terms', ARRAY['site_id', 'terms_url', 'ttl_seconds'], true),
           ('operator_action', ARRAY['action_id'], false),
           ('seller_logo', ARRAY['digest'], false),
           ('settlement', ARRAY['site_id', 'number', 'rail', 'attempt'], true),
           ('settlement_batch', ARRAY['batch_id'], true),
           ('site', ARRAY['site_id'], false),
           ('site_terms', ARRAY['site_id', 'version'], true),
           ('site_zone', ARRAY['site_id', 'version'], true),
           ('token', ARRAY['site_id', 'name'], true),
           ('token_revocation', ARRAY['site_id', 'name'], true),
           ('undelivered', ARRAY['payment_id'], true),
           ('unproven', ARRAY['payment_id'], true)
$$;
COMMENT ON FUNCTION fact_sources IS 'The tables whose rows are facts, the columns that tell their rows apart,
and whether each row is a site''s, by its column site_id. A site''s own row is of none: who takes it away
takes away all that would be audited. What follows from facts and entries alone is computed again and is no
fact.';

CREATE FUNCTION fact_key(of_source text, line jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_agg(line ->> part.name, '/' ORDER BY part.at)
      FROM fact_sources() s CROSS JOIN unnest(s.keys) WITH ORDINALITY AS part (name, at)
     WHERE s.source = of_source
$$;
COMMENT ON FUNCTION fact_key IS 'What tells a row of a table apart: its key''s columns, joined by slashes.';

CREATE FUNCTION fact_digest(of_source text, of_key text, line jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256('\x00'::bytea || convert_to(
        of_source || E'\n' || of_key || E'\n' ||
        (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(line) c WHERE c.value <> 'null')::text ||
        E'\n', 'UTF8'));
COMMENT ON FUNCTION fact_digest IS 'The leaf hash (RFC 6962) of a row: of its table, its key and its columns
as JSON, in lines. Columns that are NULL do not count: a column that a later migration adds changes no
digest. What is null within a column of JSON does.';

CREATE FUNCTION facts_of(of_source text, of_site_id bigint) RETURNS TABLE (key text, digest bytea)
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
DECLARE
    sited boolean := (SELECT s.of_site FROM fact_sources() s WHERE s.source = of_source);
BEGIN
    IF sited = (of_site_id IS NOT NULL) THEN
        RETURN QUERY EXECUTE format(
            'SELECT f.key, public.fact_digest($1, f.key, line)'
            '  FROM (SELECT to_jsonb(t) AS line FROM public.%I t %s) AS r,'
            '       LATERAL (SELECT public.fact_key($1, line)) AS f (key)',
            of_source, CASE WHEN sited THEN 'WHERE t.site_id = $2' END) USING of_source, of_site_id;
    END IF;
END
$$;
COMMENT ON FUNCTION facts_of IS 'The facts that the rows of a table are now: those of a site, or, with NULL,
those of none.';

CREATE FUNCTION note_facts() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
BEGIN
    -- Gates tell with every batch of entries whom they know already: then there is nothing to note.
    IF EXISTS (SELECT FROM added) THEN
        -- A note that is there already is of a row that somebody took away. It stays as it is, so that the
        -- audit names the row, and the gate goes on.
        INSERT INTO fact (source, key, site_id, digest, superuser)
        SELECT s.source, f.key, CASE WHEN s.of_site THEN (line ->> 'site_id')::bigint END,
               fact_digest(s.source, f.key, line),
               (SELECT r.rolname FROM pg_roles r WHERE r.rolname = session_user AND r.rolsuper
                   AND r.rolname <> current_user)
          FROM fact_sources() s, (SELECT to_jsonb(a) AS line FROM added a) AS r,
               LATERAL (SELECT fact_key(s.source, line)) AS f (key)
         WHERE s.source = TG_TABLE_NAME
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION note_facts IS 'Trigger of every table of fact_sources: notes the rows that are added. With
the owner''s rights: nobody else may write facts.';

CREATE FUNCTION interim_tiles(of_site bigint, from_id uuid, to_id uuid)
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

CREATE FUNCTION open_facts(of_site bigint) RETURNS TABLE (source text, key text, digest bytea)
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

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['day_seal', 'day_close', 'day_tile', 'undelivered', 'unproven', 'checkpoint',
                    'checkpoint_key_change', 'fact', 'day_fact', 'interim', 'interim_tile',
                    'interim_fact']) AS name;

CREATE TRIGGER sealed BEFORE INSERT ON undelivered FOR EACH ROW EXECUTE FUNCTION refuse_sealed_undelivered();
ALTER TABLE undelivered ENABLE ALWAYS TRIGGER sealed;

REVOKE ALL ON FUNCTION note_facts, seal_day FROM PUBLIC;
