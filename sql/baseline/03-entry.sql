-- What the gate writes: crawlers and the evidence of their keys, the entries, and what they sum up to.

CREATE TABLE crawler (
    crawler_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent text NOT NULL UNIQUE CHECK (agent <> '' AND octet_length(agent) <= 2048),
    first_seen_at timestamptz NOT NULL
);
COMMENT ON TABLE crawler IS 'One account per agent identity: the normalised origin or URL of
Signature-Agent.';

CREATE TABLE crawler_key (
    crawler_id bigint NOT NULL REFERENCES crawler,
    thumbprint bytea NOT NULL CHECK (octet_length(thumbprint) = 32),
    public_key text NOT NULL,
    directory_url text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    PRIMARY KEY (crawler_id, thumbprint)
);
COMMENT ON TABLE crawler_key IS 'Every key that ever paid: evidence, since directories forget keys
(promise P6).';
COMMENT ON COLUMN crawler_key.public_key IS 'The members of RFC 7638 section 3, byte for byte what the
thumbprint is of.';

CREATE TABLE directory_snapshot (
    url text NOT NULL CHECK (url <> '' AND octet_length(url) <= 2048),
    body_digest bytea NOT NULL,
    fetched_at timestamptz NOT NULL,
    body bytea NOT NULL,
    content_type text NOT NULL,
    content_digest text NOT NULL,
    signature_input text NOT NULL,
    signature text NOT NULL,
    PRIMARY KEY (url, body_digest),
    CHECK (body_digest = sha256(body))
);
COMMENT ON TABLE directory_snapshot IS 'Every body of a key directory that a charge ever relied on, once per
URL, stored before that charge. With the fields of its response signature where it had one.';
COMMENT ON COLUMN directory_snapshot.body IS 'Byte for byte as it came, without content encoding.';
COMMENT ON COLUMN directory_snapshot.signature IS 'Signature, Signature-Input and Content-Digest of the
answer, lines joined by ", "; empty where there were none.';

CREATE TABLE crawler_key_source (
    crawler_id bigint NOT NULL,
    thumbprint bytea NOT NULL,
    url text NOT NULL,
    body_digest bytea NOT NULL,
    first_relied_at timestamptz NOT NULL,
    PRIMARY KEY (crawler_id, thumbprint, url, body_digest),
    FOREIGN KEY (crawler_id, thumbprint) REFERENCES crawler_key,
    FOREIGN KEY (url, body_digest) REFERENCES directory_snapshot
);
COMMENT ON TABLE crawler_key_source IS 'In which bodies a key was found, and since when charges rely on each:
a charge''s is the newest that is not younger than the charge. A row per key and body, none per charge.';

-- Entries -----------------------------------------------------------------------------------------------

CREATE TABLE charge (
    payment_id uuid NOT NULL,
    lane smallint NOT NULL CHECK (lane = get_byte(uuid_send(payment_id), 15)),
    site_id bigint NOT NULL,
    crawler_id bigint NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
    rule text NOT NULL,
    resource text NOT NULL,
    recorded_at timestamptz NOT NULL,
    thumbprint bytea NOT NULL CHECK (octet_length(thumbprint) = 32),
    signature bytea NOT NULL,
    signature_base bytea NOT NULL,
    agreement_id bigint,
    PRIMARY KEY (payment_id, lane)
) PARTITION BY RANGE (payment_id);
COMMENT ON TABLE charge IS 'The ledger: one row per paid crawl. The key is the id that was offered and
signed, so that a payment is charged at most once for ever (promise P2). No foreign keys: they would cost
a lookup and a row lock per entry, and the gate writes only ids that it has read.';
COMMENT ON COLUMN charge.lane IS 'Last byte of the id: what a cluster would distribute by. A function of
the id, so that the key stays unique on the id alone.';
COMMENT ON COLUMN charge.recorded_at IS 'When the entry was made, by the gate''s clock: the receipt''s
timestamp.';
COMMENT ON COLUMN charge.signature_base IS 'RFC 9421 section 2.5: with signature and key, the proof of who
agreed to what.';
COMMENT ON COLUMN charge.agreement_id IS 'The version that was in force when the payment was accepted. NULL:
there was none.';

CREATE TABLE conflict (
    payment_id uuid NOT NULL,
    evidence bytea NOT NULL,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL REFERENCES crawler,
    amount_micros bigint NOT NULL,
    rule text NOT NULL,
    resource text NOT NULL,
    recorded_at timestamptz NOT NULL,
    thumbprint bytea NOT NULL,
    signature bytea NOT NULL,
    signature_base bytea NOT NULL,
    agreement_id bigint,
    PRIMARY KEY (payment_id, evidence)
);
COMMENT ON TABLE conflict IS 'A second, different commitment for a payment id that was already used. Not
charged.';
COMMENT ON COLUMN conflict.evidence IS 'SHA-256 of signature and signature base: the same attempt is kept
once.';

CREATE TABLE conflict_count (
    site_id bigint NOT NULL REFERENCES site,
    payment_id uuid NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    attempts bigint NOT NULL CHECK (attempts > 0),
    PRIMARY KEY (payment_id, crawler_id)
) WITH (fillfactor = 50);
COMMENT ON TABLE conflict_count IS 'How often a crawler has used a payment id that was used before, for
something else or by somebody else. The first attempts are kept as rows of conflict.';

CREATE FUNCTION refuse_miscount() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.attempts <> OLD.attempts + 1 OR NEW.site_id <> OLD.site_id OR NEW.payment_id <> OLD.payment_id
       OR NEW.crawler_id <> OLD.crawler_id THEN
        RAISE EXCEPTION 'attempts are counted one by one' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_miscount IS 'Trigger of conflict_count: attempts are counted one by one, and
nothing else of a row changes.';

CREATE TRIGGER count_up BEFORE UPDATE ON conflict_count FOR EACH ROW EXECUTE FUNCTION refuse_miscount();
ALTER TABLE conflict_count ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON conflict_count
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE conflict_count ENABLE ALWAYS TRIGGER append_only;

CREATE FUNCTION note_conflicts(at_ms bigint, payment_ids uuid[], site_ids bigint[],
                               crawler_ids bigint[], amounts bigint[], rules text[], resources text[],
                               thumbprints bytea[], signatures bytea[], signature_bases bytea[],
                               agreement_ids bigint[])
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    attempt record;
    number bigint;
BEGIN
    -- In one order, so that two gates do not wait for each other.
    FOR attempt IN
        SELECT *, sha256(signature || signature_base) AS evidence
          FROM unnest(payment_ids, site_ids, crawler_ids, amounts, rules, resources, thumbprints, signatures,
                      signature_bases, agreement_ids)
               AS a (payment_id, site_id, crawler_id, amount_micros, rule, resource, thumbprint, signature,
                     signature_base, agreement_id)
         ORDER BY payment_id, crawler_id
    LOOP
        -- What is kept is no new attempt when it comes again. (Of what is only counted nobody can tell.)
        CONTINUE WHEN EXISTS (SELECT FROM conflict c
                               WHERE c.payment_id = attempt.payment_id AND c.evidence = attempt.evidence);
        INSERT INTO conflict_count AS c (site_id, payment_id, crawler_id, attempts)
        VALUES (attempt.site_id, attempt.payment_id, attempt.crawler_id, 1)
        ON CONFLICT (payment_id, crawler_id) DO UPDATE SET attempts = c.attempts + 1
        RETURNING attempts INTO number;
        CONTINUE WHEN number > 8;
        INSERT INTO conflict (payment_id, evidence, site_id, crawler_id, amount_micros, rule, resource,
                              recorded_at, thumbprint, signature, signature_base, agreement_id)
        VALUES (attempt.payment_id, attempt.evidence, attempt.site_id, attempt.crawler_id,
                attempt.amount_micros, attempt.rule, attempt.resource, instant(at_ms), attempt.thumbprint,
                attempt.signature, attempt.signature_base, nullif(attempt.agreement_id, 0))
        ON CONFLICT DO NOTHING;
    END LOOP;
END
$$;
COMMENT ON FUNCTION note_conflicts IS 'Keeps the first eight attempts of a crawler with a payment id, and
counts all. With the owner''s rights: the gate itself may not write these tables, nor change a row of any.';

REVOKE ALL ON FUNCTION note_conflicts FROM PUBLIC;

CREATE TABLE spend (
    writer_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    site_id bigint NOT NULL,
    crawler_id bigint NOT NULL,
    quarter bigint NOT NULL,
    entries integer NOT NULL CHECK (entries > 0),
    amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
    PRIMARY KEY (quarter, writer_id, sequence, site_id, crawler_id)
);
COMMENT ON TABLE spend IS 'The entries of one batch summed up, written by the statement that inserts them:
what gates count credit by, without reading entries. A writer numbers its batches in the order of their
commits, so whoever has read up to a number has missed nothing below it.';
COMMENT ON COLUMN spend.writer_id IS 'One connection of one gate: drawn anew at each connect.';
COMMENT ON COLUMN spend.quarter IS 'Quarter of an hour of the payment ids since 1970. Days of every time zone
begin with one.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['crawler', 'crawler_key', 'directory_snapshot', 'crawler_key_source', 'charge',
                    'conflict', 'spend']) AS name;

-- Partitions --------------------------------------------------------------------------------------------

CREATE FUNCTION charge_partition(of_date date) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN 'charge_' || to_char(of_date, 'YYYYMMDD');
COMMENT ON FUNCTION charge_partition IS 'Name of the partition with the entries of a UTC day.';

CREATE FUNCTION charge_partition_attached(of_date date) RETURNS boolean
    LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, public, pg_temp
    RETURN EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'public.charge'::regclass
                      AND inhrelid = to_regclass('public.' || public.charge_partition(of_date)));
COMMENT ON FUNCTION charge_partition_attached IS 'Whether the ledger has a partition for a UTC day. A day
that is archived has none.';

CREATE FUNCTION charge_partition_attach(of_date date) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    name text := public.charge_partition(of_date);
BEGIN
    PERFORM public.make_append_only(format('public.%I', name)::regclass);
    PERFORM public.guard_seals(format('public.%I', name)::regclass);
    -- ATTACH takes a weaker lock on the parent than PARTITION OF: a running export does not stop the gate.
    EXECUTE format('ALTER TABLE public.charge ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name,
                   public.uuid_floor(of_date::timestamp AT TIME ZONE 'UTC'),
                   public.uuid_floor((of_date + 1)::timestamp AT TIME ZONE 'UTC'));
END
$$;
COMMENT ON FUNCTION charge_partition_attach IS 'Makes the table that has this name a partition, with the
triggers that every partition has.';

REVOKE ALL ON FUNCTION charge_partition_attach FROM PUBLIC;

CREATE FUNCTION charge_partitions(first_date date, last_date date) RETURNS integer
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
        name := public.charge_partition(at);
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- Two gates start together: the second waits here and then finds the table. Writers do not wait.
        LOCK TABLE public.charge IN SHARE UPDATE EXCLUSIVE MODE;
        CONTINUE WHEN to_regclass('public.' || name) IS NOT NULL;
        -- An empty partition would let the day's payments be made again.
        CONTINUE WHEN EXISTS (SELECT FROM public.archived WHERE utc_date = at);
        EXECUTE format('CREATE TABLE public.%I (LIKE public.charge INCLUDING ALL)', name);
        PERFORM public.charge_partition_attach(at);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION charge_partitions IS 'Makes the missing partitions for a range of UTC days, both
included, and returns how many. With the owner''s rights, so that the gate needs none to create tables.';

REVOKE ALL ON FUNCTION charge_partitions FROM PUBLIC;
