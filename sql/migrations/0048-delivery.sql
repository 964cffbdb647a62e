-- What was delivered for each payment, as the gate has seen it: recorded after the entry, when the answer has
-- ended. It is parted by the entries' days, and leaves with them.
-- Gates since 46 go on.

CREATE TABLE delivery (
    payment_id uuid NOT NULL,
    repeated boolean NOT NULL,
    site_id bigint NOT NULL,
    ended_at timestamptz NOT NULL,
    ended text NOT NULL CHECK (ended IN ('whole', 'cut', 'broken', 'handed')),
    status integer CHECK (status >= 100 AND status <= 999),
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
SELECT make_append_only('delivery');

CREATE TABLE delivery_tile (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    first_id uuid NOT NULL,
    deliveries bytea NOT NULL CHECK (octet_length(deliveries) >= 48 AND octet_length(deliveries) <= 12288
                                     AND octet_length(deliveries) % 48 = 0),
    PRIMARY KEY (first_id, site_id)
) PARTITION BY RANGE (first_id);
COMMENT ON TABLE delivery_tile IS 'What deliveries a closed day has, in the order of their ids, up to 256 in a
row: 16 bytes of payment id and 32 of SHA-256 of the row (delivery_digest), by which one that was changed,
removed or added is named.';
SELECT make_append_only('delivery_tile');

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
SELECT make_append_only('day_delivery');

CREATE OR REPLACE FUNCTION delivery_digest(line jsonb) RETURNS bytea
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN sha256(convert_to(jsonb_strip_nulls(line)::text, 'UTF8'));
COMMENT ON FUNCTION delivery_digest IS 'Of a row of delivery as JSON, of which columns that are NULL do not
count: a column that a later migration adds changes no digest.';

CREATE OR REPLACE FUNCTION refuse_sealed_delivery() RETURNS trigger
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

CREATE OR REPLACE FUNCTION delivery_tiles(of_site bigint, from_id uuid, to_id uuid)
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

CREATE OR REPLACE FUNCTION fact_sources() RETURNS TABLE (source text, keys text[], of_site boolean)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    VALUES ('adjustment', ARRAY['adjustment_id'], true),
           ('agreement', ARRAY['agreement_id'], true),
           ('agreement_price', ARRAY['agreement_id', 'position'], false),
           ('agreement_tier', ARRAY['agreement_id', 'from_crawl'], false),
           ('applied_credit', ARRAY['site_id', 'number', 'from_number', 'step'], true),
           ('archive', ARRAY['archive_id'], false),
           ('checkpoint_key_change', ARRAY['site_id', 'number'], true),
           ('crawler', ARRAY['crawler_id'], false),
           ('crawler_key', ARRAY['crawler_id', 'thumbprint'], false),
           ('crawler_key_source', ARRAY['crawler_id', 'thumbprint', 'url', 'body_digest'], false),
           ('day_delivery', ARRAY['site_id', 'local_date'], true),
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
           ('undelivered', ARRAY['payment_id'], true),
           ('unproven', ARRAY['payment_id'], true)
$$;
COMMENT ON FUNCTION fact_sources IS 'The tables whose rows are facts, the columns that tell their rows apart,
and whether each row is a site''s, by its column site_id. A site''s own row is of none: who takes it away
takes away all that would be audited. What follows from facts and entries alone is computed again and is no
fact.';

CREATE OR REPLACE FUNCTION day_tables() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN ARRAY['delivery', 'delivery_tile', 'handover', 'page_copy'];
COMMENT ON FUNCTION day_tables IS 'Tables beside charge that are parted by the UTC days of payment ids, too:
what a day has in them goes when its entries go.';

CREATE OR REPLACE FUNCTION seal_day(of_site bigint, of_date date, due_ms bigint, made_ms bigint) RETURNS void
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
       FROM unnest(ARRAY['delivery', 'delivery_tile']) AS parent;
END
$$;
COMMENT ON FUNCTION archive_restore_begin IS 'Makes the table for the entries of an archived day, which is not
part of the ledger yet, and the partitions for what was recorded of their delivery.';

CREATE OR REPLACE FUNCTION archive_restore_rows(of_date date, lines text[]) RETURNS void
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
END
$$;
COMMENT ON FUNCTION archive_restore_end IS 'Attaches what archive_restore_rows has brought, if it is what
left, and makes the tiles of its deliveries again, which must lead to what was sealed. All three are called in
one transaction.';

CREATE TRIGGER sealed AFTER INSERT ON delivery REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_sealed_delivery();
ALTER TABLE delivery ENABLE ALWAYS TRIGGER sealed;
CREATE TRIGGER noted AFTER INSERT ON day_delivery REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_facts();
ALTER TABLE day_delivery ENABLE ALWAYS TRIGGER noted;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
BEGIN
    PERFORM day_partition_make(parent, to_date(right(relname, 8), 'YYYYMMDD'))
       FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
      CROSS JOIN unnest(ARRAY['delivery', 'delivery_tile']) AS parent
      WHERE inhparent = 'charge'::regclass;
    EXECUTE format('GRANT SELECT, INSERT ON delivery TO %I', gate);
    EXECUTE format('GRANT SELECT ON day_delivery, delivery_tile TO %I', gate);
    EXECUTE format('GRANT SELECT ON delivery TO %I', night);
    EXECUTE format('GRANT SELECT, INSERT ON delivery_tile, day_delivery TO %I', night);
END
$$;
