-- Disputes: what is contested, what was found, what was decided.

CREATE TABLE dispute (
    dispute_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL REFERENCES crawler,
    opened_by text NOT NULL CHECK (opened_by IN ('publisher', 'crawler')),
    reason text NOT NULL CHECK (reason IN ('service_not_delivered', 'service_defective', 'duplicate_payment',
        'overcharge', 'customer_request', 'other')),
    statement text NOT NULL CHECK (octet_length(statement) <= 4096),
    evidence bytea CHECK (octet_length(evidence) <= 1048576),
    evidence_name text CHECK (evidence_name <> ''),
    signature_base bytea,
    signature bytea,
    thumbprint bytea CHECK (octet_length(thumbprint) = 32),
    opened_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    CHECK (due_at >= opened_at),
    CONSTRAINT dispute_check1 CHECK ((evidence IS NULL) = (evidence_name IS NULL)),
    CONSTRAINT dispute_check2 CHECK (num_nonnulls(signature_base, signature, thumbprint) = CASE opened_by
        WHEN 'crawler' THEN 3 ELSE 0 END)
);
COMMENT ON TABLE dispute IS 'What a crawler, or the publisher for it, says is wrong. The id is a UUIDv7 of
when it was opened.';
COMMENT ON COLUMN dispute.reason IS 'As in the refunds of x402.';
COMMENT ON COLUMN dispute.evidence IS 'A file of the publisher''s, or the body of the crawler''s request.';
COMMENT ON COLUMN dispute.signature_base IS 'Of the request by which the crawler has opened it (RFC 9421
section 2.5), with its signature and the thumbprint of its key.';
COMMENT ON COLUMN dispute.due_at IS 'Until when it is to be decided. Nothing happens then but that it is
overdue.';
CREATE INDEX dispute_crawler ON dispute (site_id, crawler_id, dispute_id);

CREATE TABLE dispute_subject (
    dispute_id uuid NOT NULL REFERENCES dispute,
    position integer NOT NULL CHECK ("position" > 0),
    site_id bigint NOT NULL REFERENCES site,
    payment_id uuid,
    number text,
    line integer,
    amount_micros bigint NOT NULL CHECK (amount_micros > 0),
    PRIMARY KEY (dispute_id, "position"),
    FOREIGN KEY (site_id, number, line) REFERENCES invoice_line,
    CHECK (num_nonnulls(payment_id, number) = 1 AND (number IS NULL) = (line IS NULL))
);
COMMENT ON TABLE dispute_subject IS 'What a dispute is about: payments, and lines of crawls of invoices.';
COMMENT ON COLUMN dispute_subject.amount_micros IS 'The price of the crawl, or the amount of the line.';
CREATE UNIQUE INDEX dispute_subject_payment ON dispute_subject (payment_id) WHERE payment_id IS NOT NULL;
CREATE UNIQUE INDEX dispute_subject_line ON dispute_subject (site_id, number, line)
    WHERE number IS NOT NULL;

CREATE TABLE dispute_finding (
    dispute_id uuid NOT NULL REFERENCES dispute,
    payment_id uuid NOT NULL,
    site_id bigint NOT NULL REFERENCES site,
    rule text NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
    adjustment_id uuid UNIQUE REFERENCES adjustment,
    found_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (dispute_id, payment_id),
    CHECK ((adjustment_id IS NOT NULL) = (amount_micros > 0))
);
COMMENT ON TABLE dispute_finding IS 'Disputed crawls that were upheld, and the adjustments that give back what
was billed for them.';
COMMENT ON COLUMN dispute_finding.rule IS 'By which rule (ledger/dispute/rules.h), or "person".';
COMMENT ON COLUMN dispute_finding.amount_micros IS '0: nothing was left to give back.';
CREATE INDEX dispute_finding_site ON dispute_finding (site_id, found_at);

CREATE TABLE dispute_event (
    dispute_id uuid NOT NULL REFERENCES dispute,
    step integer NOT NULL CHECK (step > 0),
    site_id bigint NOT NULL REFERENCES site,
    event text NOT NULL CHECK (event IN ('opened', 'referred', 'upheld', 'part_upheld', 'rejected')),
    happened_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (dispute_id, step)
);
COMMENT ON TABLE dispute_event IS 'What happened to a dispute, in steps.';
COMMENT ON COLUMN dispute_event.event IS 'opened. referred: the rules do not decide all of it, a person has
to. upheld, part_upheld, rejected: it is decided, for good.';
CREATE UNIQUE INDEX dispute_event_once ON dispute_event (dispute_id)
    WHERE event IN ('upheld', 'part_upheld', 'rejected');
CREATE INDEX dispute_event_site ON dispute_event (site_id, happened_at);

CREATE VIEW dispute_state AS
SELECT d.dispute_id, d.site_id, d.crawler_id, e.event AS status, e.event IN ('opened', 'referred') AS open,
       e.happened_at AS status_at, coalesce(u.upheld_micros, 0) AS upheld_micros,
       coalesce(c.claimed_micros, 0) AS claimed_micros
  FROM dispute d
 CROSS JOIN LATERAL (SELECT v.event, v.happened_at FROM dispute_event v
                      WHERE v.dispute_id = d.dispute_id ORDER BY v.step DESC LIMIT 1) AS e
 CROSS JOIN LATERAL (SELECT sum(f.amount_micros)::bigint AS upheld_micros FROM dispute_finding f
                      WHERE f.dispute_id = d.dispute_id) AS u
 CROSS JOIN LATERAL (SELECT sum(s.amount_micros)::bigint AS claimed_micros FROM dispute_subject s
                      WHERE s.dispute_id = d.dispute_id) AS c;
COMMENT ON VIEW dispute_state IS 'What has become of each dispute: its last event, whether it is open, and
what was given back of what is disputed.';

CREATE FUNCTION dispute_subjects(of_site bigint, of_crawler bigint, payments uuid[],
                                            numbers text[], lines integer[], at timestamptz,
                                            of_window integer)
    RETURNS TABLE (place integer, crawler_id bigint, amount_micros bigint, cause text, detail text)
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    WITH asked AS (
        SELECT n::integer AS place, payment_id, number, line
          FROM unnest(payments, numbers, lines) WITH ORDINALITY AS a (payment_id, number, line, n)
    ), payment AS (
        SELECT a.*, c.site_id AS paid_at, c.crawler_id, c.amount_micros, c.rule,
               billing_invoice(c.site_id, c.crawler_id, c.payment_id, 9223372036854775807) AS stands_on
          FROM asked a LEFT JOIN charge c ON c.payment_id = a.payment_id WHERE a.payment_id IS NOT NULL
    ), line AS (
        SELECT a.*, i.crawler_id, i.kind AS document, i.made_at, l.kind, l.amount_micros, l.quantity,
               l.description, l.unit_price_micros
          FROM asked a LEFT JOIN invoice i ON i.site_id = of_site AND i.number = a.number
          LEFT JOIN invoice_line l ON l.site_id = i.site_id AND l.number = i.number AND l.line = a.line
         WHERE a.payment_id IS NULL
    ), whose AS (
        -- The crawler of the first subject that has one, where nobody says whose dispute it is.
        SELECT coalesce(nullif(of_crawler, 0), (
                   SELECT w.crawler_id FROM (
                       SELECT p.place, p.crawler_id FROM payment p WHERE p.paid_at = of_site
                       UNION ALL SELECT l.place, l.crawler_id FROM line l) AS w
                    WHERE w.crawler_id IS NOT NULL ORDER BY w.place LIMIT 1)) AS crawler_id
    ), period AS (
        SELECT w.crawler_id, coalesce((
                   SELECT a.dispute_window_days FROM agreement a
                    WHERE a.site_id = of_site AND a.crawler_id = w.crawler_id AND a.valid_from <= at
                    ORDER BY a.version DESC LIMIT 1), of_window) AS days
          FROM whose w
    ), judged AS (
        SELECT p.place, p.crawler_id, p.amount_micros,
               CASE WHEN p.paid_at IS NULL AND EXISTS (
                         SELECT FROM archived w
                          WHERE w.utc_date = (uuid_instant(p.payment_id) AT TIME ZONE 'UTC')::date)
                    THEN 'archived'
                    WHEN p.paid_at IS NULL OR of_crawler <> 0 AND (p.paid_at, p.crawler_id)
                                                               IS DISTINCT FROM (of_site, of_crawler)
                    THEN 'unknown'
                    WHEN p.paid_at <> of_site THEN 'other-site'
                    WHEN p.crawler_id <> w.crawler_id THEN 'other-crawler'
                    WHEN p.place > (SELECT min(o.place) FROM asked o WHERE o.payment_id = p.payment_id)
                    THEN 'twice'
                    WHEN d.dispute_id IS NOT NULL THEN 'disputed'
                    WHEN EXISTS (SELECT FROM unproven u WHERE u.payment_id = p.payment_id) THEN 'unproven'
                    WHEN p.amount_micros = 0 THEN 'free'
                    WHEN t.taken_micros >= p.amount_micros OR v.number IS NOT NULL THEN 'taken-back'
                    WHEN at > greatest(uuid_instant(p.payment_id), i.made_at) + w.days * interval '1 day'
                    THEN 'late' ELSE '' END AS cause,
               CASE WHEN d.dispute_id IS NOT NULL THEN d.dispute_id::text
                    WHEN p.paid_at <> of_site THEN (SELECT s.name FROM site s WHERE s.site_id = p.paid_at)
                    WHEN v.number IS NOT NULL THEN v.number
                    ELSE w.days::text END AS detail
          FROM payment p CROSS JOIN period w
          LEFT JOIN invoice i ON i.site_id = p.paid_at AND i.number = p.stands_on
          LEFT JOIN LATERAL (SELECT e.number FROM invoice_event e
                              WHERE e.site_id = i.site_id AND e.number = i.number AND e.event = 'void'
                              LIMIT 1) AS v ON true
         CROSS JOIN LATERAL (SELECT sum(a.amount_micros) AS taken_micros FROM adjustment a
                              WHERE a.payment_id = p.payment_id) AS t
          LEFT JOIN LATERAL (
              SELECT s.dispute_id FROM dispute_subject s WHERE s.payment_id = p.payment_id
              UNION ALL
              SELECT s.dispute_id FROM dispute_subject s
                JOIN invoice_line l ON l.site_id = s.site_id AND l.number = s.number AND l.line = s.line
               WHERE s.site_id = of_site AND s.number = p.stands_on AND l.description = p.rule
                 AND l.unit_price_micros = p.amount_micros
              ORDER BY 1 LIMIT 1) AS d ON true
        UNION ALL
        SELECT l.place, l.crawler_id, l.amount_micros,
               CASE WHEN l.document IS NULL OR of_crawler <> 0 AND l.crawler_id <> of_crawler
                    THEN 'unknown-invoice'
                    WHEN l.document = 'credit-note' THEN 'credit-note'
                    WHEN l.kind IS NULL THEN 'unknown-line'
                    WHEN l.crawler_id <> w.crawler_id THEN 'other-crawler'
                    WHEN l.kind <> 'crawls' THEN 'no-crawls'
                    WHEN l.place > (SELECT min(o.place) FROM asked o
                                     WHERE o.number = l.number AND o.line = l.line) THEN 'twice'
                    WHEN d.dispute_id IS NOT NULL THEN 'disputed'
                    WHEN l.amount_micros = 0 THEN 'free'
                    WHEN EXISTS (SELECT FROM invoice_event e WHERE e.site_id = of_site
                                    AND e.number = l.number AND e.event = 'void') THEN 'taken-back'
                    WHEN l.quantity > 10000 THEN 'large'
                    WHEN at > l.made_at + w.days * interval '1 day' THEN 'late'
                    ELSE '' END,
               CASE WHEN d.dispute_id IS NOT NULL THEN d.dispute_id::text
                    WHEN l.quantity > 10000 THEN l.quantity::text
                    WHEN l.kind <> 'crawls' THEN l.kind
                    ELSE w.days::text END
          FROM line l CROSS JOIN period w
          LEFT JOIN LATERAL (
              SELECT s.dispute_id FROM dispute_subject s
               WHERE s.site_id = of_site AND s.number = l.number AND s.line = l.line
              UNION ALL
              -- What was decided of one of its crawls cannot be asked again by its line.
              SELECT s.dispute_id FROM dispute o JOIN dispute_subject s USING (dispute_id)
                JOIN charge c ON c.payment_id = s.payment_id
               WHERE o.site_id = of_site AND o.crawler_id = l.crawler_id AND c.rule = l.description
                 AND c.amount_micros = l.unit_price_micros
                 AND billing_invoice(of_site, o.crawler_id, s.payment_id, 9223372036854775807) = l.number
              ORDER BY 1 LIMIT 1) AS d ON true
    )
    -- What another pays is as unknown as that he does, and so is what became of it.
    SELECT j.place, j.crawler_id, CASE WHEN u.unknown THEN 0 ELSE coalesce(j.amount_micros, 0) END, j.cause,
           CASE WHEN u.unknown THEN '' ELSE coalesce(j.detail, '') END
      FROM judged j CROSS JOIN LATERAL (SELECT j.cause IN ('unknown', 'unknown-invoice')) AS u (unknown)
$$;
COMMENT ON FUNCTION dispute_subjects IS 'Whether payments, or lines of invoices where the payment is NULL, can
be disputed by a crawler, or by the site''s operator (crawler 0): the cause why not, "" if they can, and what
it names: another dispute, site, invoice, or the days of the window. A crawler is not told of others''
payments: they are unknown.';

CREATE FUNCTION dispute_add(opening dispute, payments uuid[], numbers text[], lines integer[],
                                       of_window integer, of_answer integer) RETURNS jsonb
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    found record;
    known uuid;
BEGIN
    IF coalesce(cardinality(payments), 0) NOT BETWEEN 1 AND 1000
       OR cardinality(numbers) IS DISTINCT FROM cardinality(payments)
       OR cardinality(lines) IS DISTINCT FROM cardinality(payments) THEN
        RAISE EXCEPTION 'a dispute is about 1 to 1000 payments and lines'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    -- One at a time: who comes second sees what the first has disputed.
    PERFORM pg_advisory_xact_lock(20131, opening.site_id::integer);
    opening.opened_at := uuid_instant(opening.dispute_id);
    SELECT count(*) AS subjects, count(*) FILTER (WHERE s.cause <> '') AS refused,
           count(*) FILTER (WHERE s.cause = 'disputed') AS disputed,
           count(DISTINCT s.detail) AS details, min(s.detail) AS detail, max(s.crawler_id) AS crawler_id,
           jsonb_agg(to_jsonb(s) - 'crawler_id' ORDER BY s.place) AS list
      INTO found
      FROM dispute_subjects(opening.site_id, coalesce(opening.crawler_id, 0), payments, numbers, lines,
                            opening.opened_at, of_window) s;
    IF found.disputed = found.subjects AND found.details = 1 THEN
        SELECT d.dispute_id INTO known FROM dispute d
         WHERE d.dispute_id = found.detail::uuid AND d.opened_by = opening.opened_by
           AND d.reason = opening.reason
           AND (SELECT count(*) FROM dispute_subject s WHERE s.dispute_id = d.dispute_id) = found.subjects
           AND (SELECT count(*) FROM dispute_subject s JOIN unnest(payments, numbers, lines) AS a (p, n, l)
                    ON s.payment_id = a.p OR a.p IS NULL AND s.number = a.n AND s.line = a.l
                 WHERE s.dispute_id = d.dispute_id) = found.subjects;
    END IF;
    IF known IS NOT NULL OR found.refused > 0 THEN
        RETURN jsonb_build_object('outcome', CASE WHEN known IS NULL THEN 'refused' ELSE 'known' END,
                                  'dispute_id', known, 'subjects', found.list);
    END IF;
    opening.crawler_id := found.crawler_id;
    opening.due_at := opening.opened_at + interval '1 day' * coalesce((
        SELECT a.dispute_answer_days FROM agreement a
         WHERE a.site_id = opening.site_id AND a.crawler_id = found.crawler_id
           AND a.valid_from <= opening.opened_at
         ORDER BY a.version DESC LIMIT 1), of_answer);
    INSERT INTO dispute SELECT opening.*;
    INSERT INTO dispute_subject (dispute_id, position, site_id, payment_id, number, line, amount_micros)
    SELECT opening.dispute_id, s.place, opening.site_id, payments[s.place],
           CASE WHEN payments[s.place] IS NULL THEN numbers[s.place] END,
           CASE WHEN payments[s.place] IS NULL THEN lines[s.place] END, s.amount_micros
      FROM jsonb_to_recordset(found.list) AS s (place integer, amount_micros bigint);
    INSERT INTO dispute_event (dispute_id, step, site_id, event, happened_at, actor, detail)
    VALUES (opening.dispute_id, 1, opening.site_id, 'opened', opening.opened_at, opening.actor,
            opening.statement);
    RETURN jsonb_build_object('outcome', 'opened', 'dispute_id', opening.dispute_id,
                              'due_at', instant_text(opening.due_at), 'subjects', found.list);
END
$$;
COMMENT ON FUNCTION dispute_add IS 'Opens a dispute about payments, or lines of invoices where the payment is
NULL, all of them or none: {outcome, dispute_id, due_at, subjects: [{place, amount_micros, cause, detail}]}.
Outcome: opened; known (the same was opened before, under that id); refused (causes as of dispute_subjects).
The windows are those of the agreement in force, or else the given days.';

CREATE FUNCTION open_dispute(of_dispute uuid, of_site bigint, of_crawler bigint, of_reason text,
                                        of_statement text, payments uuid[], numbers text[], lines integer[],
                                        request bytea, request_base bytea, request_signature bytea,
                                        request_key bytea, of_window integer, of_answer integer)
    RETURNS jsonb
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    opening dispute;
BEGIN
    IF request_base IS NULL OR request_signature IS NULL OR request_key IS NULL THEN
        RAISE EXCEPTION 'a crawler''s dispute needs the request that it has signed'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF abs(extract(epoch FROM clock_timestamp() - uuid_instant(of_dispute))) > 3600 THEN
        RAISE EXCEPTION 'a dispute is opened now, not at %', uuid_instant(of_dispute)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Is the clock of the gate right?';
    END IF;
    SELECT of_dispute, of_site, c.crawler_id, 'crawler', of_reason, of_statement, request,
           CASE WHEN request IS NOT NULL THEN 'request' END, request_base, request_signature, request_key,
           uuid_instant(of_dispute), uuid_instant(of_dispute), c.agent
      INTO opening FROM crawler c WHERE c.crawler_id = of_crawler;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'there is no crawler number %', of_crawler USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN dispute_add(opening, payments, numbers, lines, of_window, of_answer);
END
$$;
COMMENT ON FUNCTION open_dispute IS 'Opens a dispute for a crawler, with the request that it signed as
evidence; answers as dispute_add does. With the owner''s rights: the gate itself may not write these tables,
and has no way to decide a dispute.';

CREATE FUNCTION disputed_amount(of_site bigint, of_number text) RETURNS bigint
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT coalesce(sum(s.amount_micros - coalesce(u.upheld_micros, 0)), 0)::bigint
      FROM invoice i
      JOIN dispute d ON d.site_id = i.site_id AND d.crawler_id = i.crawler_id
      JOIN dispute_subject s USING (dispute_id)
     CROSS JOIN LATERAL (
          SELECT sum(f.amount_micros) AS upheld_micros
            FROM dispute_finding f JOIN charge c USING (payment_id)
            JOIN invoice_line l ON l.description = c.rule AND l.unit_price_micros = c.amount_micros
           WHERE f.dispute_id = s.dispute_id AND l.site_id = s.site_id AND l.number = s.number
             AND l.line = s.line) AS u
     WHERE i.site_id = of_site AND i.number = of_number AND i.kind = 'invoice'
       AND NOT EXISTS (SELECT FROM dispute_event e WHERE e.dispute_id = d.dispute_id
                          AND e.event IN ('upheld', 'part_upheld', 'rejected'))
       AND coalesce(s.number, billing_invoice(i.site_id, i.crawler_id, s.payment_id, 9223372036854775807))
           = of_number
       AND NOT EXISTS (SELECT FROM dispute_finding f
                        WHERE f.dispute_id = s.dispute_id AND f.payment_id = s.payment_id)
$$;
COMMENT ON FUNCTION disputed_amount IS 'How much of what an invoice bills is in open disputes, by the prices
of crawls and the amounts of lines; without what was upheld of them already.';

CREATE FUNCTION dispute_document(of_dispute uuid) RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, public, pg_temp AS $$
    SELECT jsonb_build_object(
        'dispute_id', d.dispute_id, 'site', s.name, 'agent', k.agent, 'opened_by', d.opened_by,
        'reason', d.reason, 'statement', d.statement, 'evidence', d.evidence_name,
        'opened_at', instant_text(d.opened_at), 'due_at', instant_text(d.due_at), 'currency', s.currency,
        'status', t.status, 'open', t.open, 'claimed_micros', t.claimed_micros,
        'upheld_micros', t.upheld_micros,
        'subjects', (
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'payment_id', u.payment_id, 'invoice', coalesce(u.number, billing_invoice(
                           d.site_id, d.crawler_id, u.payment_id, 9223372036854775807)),
                       'line', u.line, 'amount_micros', u.amount_micros)) ORDER BY u.position)
              FROM dispute_subject u WHERE u.dispute_id = d.dispute_id),
        'findings', coalesce((
            SELECT jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                       'payment_id', f.payment_id, 'rule', f.rule, 'amount_micros', f.amount_micros,
                       'adjustment_id', f.adjustment_id, 'stands_on', n.number)) ORDER BY f.payment_id)
              FROM (SELECT * FROM dispute_finding w WHERE w.dispute_id = d.dispute_id
                     ORDER BY w.payment_id LIMIT 1000) AS f
              LEFT JOIN LATERAL (
                   SELECT i.number FROM crawler_day_line l JOIN invoice i ON i.site_id = l.site_id
                      AND i.crawler_id = l.crawler_id AND i.corrects IS NOT DISTINCT FROM l.corrects
                      AND (i.local_date = l.local_date OR l.corrects IS NULL AND i.local_date > l.local_date)
                      AND i.replaces IS NULL
                    WHERE l.adjustment_id = f.adjustment_id ORDER BY i.local_date LIMIT 1) AS n ON true),
            '[]'),
        'events', (
            SELECT jsonb_agg(jsonb_build_object('event', e.event, 'at', instant_text(e.happened_at),
                                                'actor', e.actor, 'detail', e.detail) ORDER BY e.step)
              FROM dispute_event e WHERE e.dispute_id = d.dispute_id))
      FROM dispute d JOIN dispute_state t USING (dispute_id) JOIN site s ON s.site_id = d.site_id
      JOIN crawler k ON k.crawler_id = d.crawler_id
     WHERE d.dispute_id = of_dispute
$$;
COMMENT ON FUNCTION dispute_document IS 'A dispute as programs and webhooks get it, with its subjects, at most
a thousand of its findings, and its events. stands_on: the credit note or invoice that gives it back.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['dispute', 'dispute_subject', 'dispute_finding', 'dispute_event']) AS name;

REVOKE ALL ON FUNCTION open_dispute FROM PUBLIC;
