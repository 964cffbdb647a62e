-- What the gate writes: crawlers and the evidence of their keys, the entries and what they sum up to, and
-- what was delivered of them.

CREATE TABLE crawler (
    crawler_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    agent text NOT NULL CHECK (agent <> '' AND (octet_length(agent) <= 2048)) UNIQUE,
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
    url text NOT NULL CHECK (url <> '' AND (octet_length(url) <= 2048)),
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

CREATE TABLE charge (
    payment_id uuid NOT NULL,
    lane smallint NOT NULL,
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
    PRIMARY KEY (payment_id, lane),
    CHECK (lane = get_byte(uuid_send(payment_id), 15))
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

CREATE TABLE spend (
    writer_id uuid NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    site_id bigint NOT NULL,
    crawler_id bigint NOT NULL,
    quarter bigint NOT NULL,
    entries integer NOT NULL,
    amount_micros bigint NOT NULL,
    PRIMARY KEY (quarter, writer_id, sequence, site_id, crawler_id),
    CHECK (entries > 0 AND amount_micros >= 0 OR entries < 0 AND amount_micros <= 0
           OR entries = 0 AND amount_micros < 0)
);
COMMENT ON TABLE spend IS 'The entries of one batch summed up, written by the statement that inserts them:
what gates count credit by, without reading entries. A writer numbers its batches in the order of their
commits, so whoever has read up to a number has missed nothing below it.';
COMMENT ON COLUMN spend.writer_id IS 'One connection of one gate: drawn anew at each connect.';
COMMENT ON COLUMN spend.quarter IS 'Quarter of an hour of the payment ids since 1970. Days of every time zone
begin with one.';
COMMENT ON COLUMN spend.entries IS 'Less than none: of entries whose page was not delivered. None: of entries
that are billed at less than their amount.';

CREATE TABLE gate_clock (
    reported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    writer_id uuid NOT NULL,
    ahead_ms bigint NOT NULL,
    PRIMARY KEY (reported_at, writer_id)
);
COMMENT ON TABLE gate_clock IS 'How far each connection of a gate is ahead of this server''s clock, written
when it connects and every hour. reported_at is the one time in the ledger that is the server''s own.';

CREATE TABLE offer_terms (
    site_id bigint NOT NULL REFERENCES site,
    terms_url text NOT NULL CHECK (terms_url <> ''),
    ttl_seconds integer NOT NULL CHECK (ttl_seconds BETWEEN 1 AND 3600),
    first_used_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, terms_url, ttl_seconds)
);
COMMENT ON TABLE offer_terms IS 'Under which terms gates have made offers, and how long these held. Payment
ids are bound to the terms: whoever opens one of last week must know those of last week.';

CREATE TABLE handover (
    payment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
) PARTITION BY RANGE (payment_id);
COMMENT ON TABLE handover IS 'Payment ids of requests that change something, each written before the request
is handed to the site''s own server: an id that is here is never handed over again, whatever came of it.';

CREATE TABLE payment_identifier (
    claim uuid PRIMARY KEY,
    payment_id uuid NOT NULL,
    payload bytea NOT NULL CHECK (octet_length(payload) = 32)
) PARTITION BY RANGE (claim);
COMMENT ON TABLE payment_identifier IS 'Which payments payers'' own identifiers are bound to. Written before
the entry.';
COMMENT ON COLUMN payment_identifier.claim IS 'A UUID whose time is the begin of the payment''s UTC day and
whose chance are the first bits of a hash of site, crawler and identifier: it is bound once a day.';
COMMENT ON COLUMN payment_identifier.payload IS 'SHA-256 of what was paid with: the same payment sent again
has the same.';

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

CREATE TABLE delivery (
    payment_id uuid NOT NULL,
    repeated boolean NOT NULL,
    site_id bigint NOT NULL,
    ended_at timestamptz NOT NULL,
    ended text NOT NULL CHECK (ended IN ('whole', 'cut', 'broken', 'handed')),
    status integer CHECK (status BETWEEN 100 AND 999),
    sent_bytes bigint CHECK (sent_bytes >= 0),
    body_digest bytea CHECK (octet_length(body_digest) = 32),
    client bytea CHECK (octet_length(client) = 16),
    user_agent text CHECK (length(user_agent) <= 256),
    PRIMARY KEY (payment_id, repeated)
) PARTITION BY RANGE (payment_id);
COMMENT ON TABLE delivery IS 'What was delivered for payments, written some moments after the answer has
ended: a gate that is killed before that leaves none, so that a row that is missing means nothing.';
COMMENT ON COLUMN delivery.repeated IS 'False: the answer with which the entry was made. True: the first one
after it that was given for the same payment, and ended whole.';
COMMENT ON COLUMN delivery.ended_at IS 'By the gate''s clock.';
COMMENT ON COLUMN delivery.ended IS 'whole: all of it was handed to the network. cut: the connection ended
before that. broken: the site''s own server broke off. handed: the front that asked delivers, and what came of
that is not known here.';
COMMENT ON COLUMN delivery.sent_bytes IS 'Of the body, handed to the network. NULL: not known.';
COMMENT ON COLUMN delivery.body_digest IS 'SHA-256 of these bytes, encoded as they were sent. NULL: not known,
or of a file that changed meanwhile.';
COMMENT ON COLUMN delivery.client IS 'The first half of HMAC-SHA-256 over payment id and client address, by a
key that is made of the offer key (ledger/delivery/client_tag.h): who has the key can tell whether it was an
address.';
COMMENT ON COLUMN delivery.user_agent IS 'At most 256 bytes of it; what is no printable ASCII is a "?".';

CREATE TABLE delivery_tile (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    first_id uuid NOT NULL,
    deliveries bytea NOT NULL
        CHECK (octet_length(deliveries) >= 48 AND octet_length(deliveries) <= 12288
               AND octet_length(deliveries) % 48 = 0),
    PRIMARY KEY (first_id, site_id)
) PARTITION BY RANGE (first_id);
COMMENT ON TABLE delivery_tile IS 'What deliveries a closed day has, in the order of their ids, up to 256 in a
row: 16 bytes of payment id and 32 of SHA-256 of the row (delivery_digest), by which one that was changed,
removed or added is named.';

CREATE TABLE day_delivery (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    deliveries bigint NOT NULL CHECK (deliveries > 0),
    tiles bigint NOT NULL CHECK (tiles > 0),
    root bytea NOT NULL CHECK (octet_length(root) = 32),
    PRIMARY KEY (site_id, local_date),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_delivery IS 'Closed days of which deliveries are recorded: a fact, and so in the second
tree of the day.';
COMMENT ON COLUMN day_delivery.root IS 'Of the tree (RFC 6962) whose leaves are the deliveries of
delivery_tile, in the order of first_id.';

CREATE FUNCTION quarter_ms() RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE -- STRICT: else those who call it are not inlined
    RETURN 900000::bigint;
COMMENT ON FUNCTION quarter_ms IS 'Length of the quarters of an hour by which spending is counted, as
ENTRY_QUARTER_MS of the gate. The numbers of quarters in the table spend depend on it: it never changes.';

CREATE FUNCTION quarter_start(quarter bigint) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN instant(quarter * quarter_ms());
COMMENT ON FUNCTION quarter_start IS 'When a quarter of an hour begins; they are numbered since 1970.';

CREATE FUNCTION uuid_quarter(id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ('x' || encode(substr(uuid_send(id), 1, 6), 'hex'))::bit(48)::bigint / quarter_ms();
COMMENT ON FUNCTION uuid_quarter IS 'The quarter of an hour since 1970 in which a payment id was made.';

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

CREATE FUNCTION day_tables() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['delivery', 'delivery_tile', 'handover', 'interim_fact', 'interim_tile', 'page_copy',
                 'payment_identifier'];
COMMENT ON FUNCTION day_tables IS 'Tables beside charge that are parted by the UTC days of payment ids, too:
what a day has in them goes when its entries go.';

CREATE FUNCTION day_partition(parent text, of_date date) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN parent || '_' || to_char(of_date, 'YYYYMMDD');
COMMENT ON FUNCTION day_partition IS 'Name of a table''s partition with what belongs to a UTC day.';

CREATE FUNCTION day_partition_make(parent text, of_date date) RETURNS void
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

CREATE FUNCTION note_undelivered(of_payment uuid, answer_status integer, sent bigint,
                                 length bigint, told_by text, by_writer uuid, batch bigint,
                                 final bigint DEFAULT NULL) RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    paid charge;
BEGIN
    SELECT * INTO paid FROM charge WHERE payment_id = of_payment;
    IF NOT FOUND THEN
        RETURN 'no-charge';
    END IF;
    IF final >= paid.amount_micros THEN
        RETURN 'differs'; -- it takes back, and never adds
    END IF;
    IF NOT EXISTS (SELECT FROM undelivered WHERE payment_id = of_payment) THEN
        IF of_payment < (SELECT end_id FROM day_seal WHERE site_id = paid.site_id
                          ORDER BY end_id DESC LIMIT 1) THEN
            RETURN 'sealed';
        END IF;
        INSERT INTO undelivered (payment_id, site_id, status, sent_bytes, length_bytes, told_by, final_micros)
        VALUES (of_payment, paid.site_id, answer_status, sent, length, told_by, final) ON CONFLICT DO NOTHING;
        IF FOUND THEN
            INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
            VALUES (by_writer, batch, paid.site_id, paid.crawler_id, uuid_quarter(of_payment),
                    CASE WHEN final IS NULL THEN -1 ELSE 0 END, coalesce(final, 0) - paid.amount_micros);
            RETURN 'recorded';
        END IF;
    END IF;
    -- Seen by this statement, also when it was another one's that it waited for.
    RETURN CASE WHEN EXISTS (SELECT FROM undelivered u WHERE u.payment_id = of_payment
                                AND u.final_micros IS NOT DISTINCT FROM final)
                THEN 'known' ELSE 'differs' END;
END
$$;
COMMENT ON FUNCTION note_undelivered IS 'Records once that a paid page was not delivered whole, or is billed
at a final amount below its entry''s, and gives the crawler that credit back as batch of a writer: recorded,
known (it was before), differs (it has another end, or the entry is of no more), no-charge (there is no such
entry) or sealed (its day is). With the owner''s rights: the gate itself may not write this table.';

CREATE FUNCTION delivery_digest(line jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256(convert_to(jsonb_strip_nulls(line)::text, 'UTF8'));
COMMENT ON FUNCTION delivery_digest IS 'Of a row of delivery as JSON, of which columns that are NULL do not
count: a column that a later migration adds changes no digest.';

CREATE FUNCTION refuse_sealed_delivery() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'deliveries are recorded in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF EXISTS (SELECT FROM (SELECT DISTINCT site_id FROM added) AS s,
                    LATERAL (SELECT end_id FROM day_seal d WHERE d.site_id = s.site_id
                              ORDER BY end_id DESC LIMIT 1) AS sealed
                WHERE EXISTS (SELECT FROM added a
                               WHERE a.site_id = s.site_id AND a.payment_id < sealed.end_id)) THEN
        RAISE EXCEPTION 'a delivery is of a day that its site has sealed'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION refuse_sealed_delivery IS 'Trigger of delivery: refuses a payment of a day that its site
has sealed. Once for a batch, since no crawl shall cost more for it.';

CREATE FUNCTION delivery_tiles(of_site bigint, from_id uuid, to_id uuid)
    RETURNS TABLE (first_id uuid, deliveries bytea)
    LANGUAGE sql STABLE
    SET search_path = pg_catalog, public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
    SELECT (array_agg(l.payment_id ORDER BY l.payment_id, l.repeated))[1],
           string_agg(uuid_send(l.payment_id) || l.digest, ''::bytea ORDER BY l.payment_id, l.repeated)
      FROM (SELECT d.payment_id, d.repeated, delivery_digest(to_jsonb(d)) AS digest,
                   (uuid_instant(d.payment_id) AT TIME ZONE 'UTC')::date AS utc_date,
                   (row_number() OVER (PARTITION BY (uuid_instant(d.payment_id) AT TIME ZONE 'UTC')::date
                                       ORDER BY d.payment_id, d.repeated) - 1) / 256 AS tile
              FROM delivery d
             WHERE d.site_id = of_site AND d.payment_id >= from_id AND d.payment_id < to_id) AS l
     GROUP BY l.utc_date, l.tile
$$;
COMMENT ON FUNCTION delivery_tiles IS 'Rows of delivery_tile as deliveries of a site make them, whose ids are
from from_id to before to_id. None reaches over a UTC midnight, at which days part when they are archived.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['crawler', 'crawler_key', 'directory_snapshot', 'crawler_key_source', 'charge',
                    'conflict', 'spend', 'gate_clock', 'offer_terms', 'handover', 'payment_identifier',
                    'page_copy', 'delivery', 'delivery_tile', 'day_delivery']) AS name;

CREATE TRIGGER count_up BEFORE UPDATE ON conflict_count FOR EACH ROW EXECUTE FUNCTION refuse_miscount();
ALTER TABLE conflict_count ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON conflict_count FOR EACH STATEMENT EXECUTE FUNCTION
    refuse_change();
ALTER TABLE conflict_count ENABLE ALWAYS TRIGGER append_only;
CREATE TRIGGER sealed AFTER INSERT ON delivery REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE
    FUNCTION refuse_sealed_delivery();
ALTER TABLE delivery ENABLE ALWAYS TRIGGER sealed;

REVOKE ALL ON FUNCTION charge_partition_attach, charge_partitions, day_partition_make, note_conflicts,
    note_undelivered FROM PUBLIC;
