-- What the night bills. What a closed day bills is computed by functions that read nothing but rows of that
-- day and of days before it, so that the audit can compute it again.

CREATE TABLE crawler_day (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    close_number bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries >= 0),
    sum_micros bigint NOT NULL CHECK (sum_micros >= 0),
    carried_in_micros bigint NOT NULL,
    invoiced_micros bigint NOT NULL CHECK (invoiced_micros >= 0),
    carried_out_micros bigint NOT NULL,
    agreement_id bigint REFERENCES agreement,
    period_end boolean NOT NULL DEFAULT true,
    period_crawls_before bigint NOT NULL DEFAULT 0 CHECK (period_crawls_before >= 0),
    period_micros_before bigint NOT NULL DEFAULT 0,
    terms_micros bigint NOT NULL DEFAULT 0,
    adjusted_micros bigint NOT NULL DEFAULT 0 CHECK (adjusted_micros <= 0),
    credited_micros bigint NOT NULL DEFAULT 0 CHECK (credited_micros >= 0),
    PRIMARY KEY (site_id, crawler_id, close_number),
    UNIQUE (site_id, local_date, crawler_id),
    FOREIGN KEY (site_id, local_date) REFERENCES day,
    CONSTRAINT entries_are_invoiced_or_carried
        CHECK (carried_in_micros + sum_micros + terms_micros + adjusted_micros
               = invoiced_micros - credited_micros + carried_out_micros)
);
COMMENT ON TABLE crawler_day IS 'Per site, closed day and crawler: crawls and what the terms make of them =
invoices - credit notes + what is carried forward, to the micro-unit (promise P4). What is carried may be
below zero: the crawler has it to its credit. A crawler has a row for each day on which something of it
changed.';
COMMENT ON COLUMN crawler_day.agreement_id IS 'The version in force just before the day''s end. NULL: none.';
COMMENT ON COLUMN crawler_day.period_end IS 'A billing period ends with this day: an invoice may be made, and
the counting of included crawls, tiers and the minimum fee starts anew.';
COMMENT ON COLUMN crawler_day.period_crawls_before IS 'Crawls of the period before this day.';
COMMENT ON COLUMN crawler_day.period_micros_before IS 'What crawls, fees and discounts of the period came to
before this day; without adjustments.';
COMMENT ON COLUMN crawler_day.terms_micros IS 'Fees, discounts, covers and top-ups of the day.';

CREATE TABLE invoice (
    site_id bigint NOT NULL REFERENCES site,
    number text NOT NULL,
    series text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    crawler_id bigint NOT NULL,
    local_date date NOT NULL,
    site_name text NOT NULL,
    agent text NOT NULL,
    network text NOT NULL,
    currency text NOT NULL,
    currency_decimals smallint NOT NULL,
    time_zone text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    entries bigint NOT NULL CHECK (entries >= 0),
    carried_in_micros bigint NOT NULL,
    subtotal_micros bigint NOT NULL,
    carried_out_micros bigint NOT NULL,
    net_micros bigint CONSTRAINT invoice_total_micros_not_null NOT NULL, -- of its first name
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    rounding text NOT NULL,
    kind text NOT NULL DEFAULT 'invoice' CHECK (kind IN ('invoice', 'credit-note')),
    corrects text,
    agreement_id bigint REFERENCES agreement,
    terms text NOT NULL DEFAULT '',
    first_date date NOT NULL,
    due_date date,
    seller_party jsonb NOT NULL,
    buyer_party jsonb NOT NULL,
    settlement jsonb NOT NULL DEFAULT '{}',
    tax_treatment text NOT NULL DEFAULT 'none'
        CHECK (tax_treatment IN ('none', 'standard', 'zero', 'exempt', 'reverse-charge')),
    tax_rate_ppm integer NOT NULL DEFAULT 0 CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    tax_minor bigint NOT NULL DEFAULT 0 CHECK (tax_minor >= 0),
    net_minor bigint NOT NULL GENERATED ALWAYS AS (total_minor - tax_minor) STORED,
    tax_note text NOT NULL DEFAULT '',
    PRIMARY KEY (site_id, number),
    UNIQUE (site_id, series, sequence),
    CONSTRAINT invoice_of_a_day UNIQUE NULLS NOT DISTINCT (site_id, local_date, crawler_id, corrects),
    FOREIGN KEY (site_id, local_date, crawler_id) REFERENCES crawler_day (site_id, local_date, crawler_id),
    FOREIGN KEY (site_id, corrects) REFERENCES invoice,
    CHECK (carried_in_micros + subtotal_micros = net_micros + carried_out_micros),
    CHECK (net_micros = net_minor * minor_micros(currency_decimals)),
    CHECK (kind = 'credit-note' OR tax_minor = tax_of(net_minor, tax_rate_ppm)),
    CHECK ((kind = 'credit-note') = (corrects IS NOT NULL)),
    CHECK ((kind = 'credit-note') = (due_date IS NULL))
);
COMMENT ON TABLE invoice IS 'Invoices and credit notes. Parties, zone, terms and texts are copied in: an
invoice reads the same for ever. Its date is the last local day of its period. A credit note says in positive
amounts what is taken back from one invoice.';
COMMENT ON COLUMN invoice.carried_in_micros IS 'The rounding remainder of the crawler''s last invoice, and
those of credit notes since.';
CREATE INDEX invoice_corrects ON invoice (site_id, corrects) WHERE corrects IS NOT NULL;
CREATE INDEX invoice_crawler ON invoice (site_id, crawler_id, local_date);

CREATE TABLE adjustment (
    adjustment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL REFERENCES crawler,
    kind text NOT NULL CHECK (kind IN ('reversal', 'refund', 'credit', 'void')),
    payment_id uuid,
    number text,
    amount_micros bigint NOT NULL CHECK (amount_micros > 0),
    reason text NOT NULL CHECK (reason <> ''),
    actor text NOT NULL CHECK (actor <> ''),
    recorded_at timestamptz NOT NULL,
    FOREIGN KEY (site_id, number) REFERENCES invoice,
    CHECK (num_nonnulls(payment_id, number) = 1 AND (kind = 'void') = (number IS NOT NULL))
);
COMMENT ON TABLE adjustment IS 'What is taken back of a charge, or of a whole invoice. It belongs to the day
in which it is made (a UUIDv7 of its own); when that day is closed it becomes part of a credit note if the
charge stands on an invoice, and a line of the next invoice if not.';
COMMENT ON COLUMN adjustment.kind IS 'reversal: the charge, or what is left of it, was wrong. refund: money is
paid back. credit: goodwill. void: of a whole invoice, nothing of which was paid.';
CREATE INDEX adjustment_payment ON adjustment (payment_id);
CREATE INDEX adjustment_site ON adjustment (site_id, adjustment_id);

CREATE FUNCTION refuse_sealed_adjustment() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.adjustment_id < (SELECT end_id FROM day_seal WHERE site_id = NEW.site_id
                               ORDER BY end_id DESC LIMIT 1) THEN
        RAISE EXCEPTION 'the day of adjustment "%" is sealed', NEW.adjustment_id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION refuse_sealed_adjustment IS 'Trigger of adjustment: refuses one of a day that its site
has sealed.';

CREATE TRIGGER sealed BEFORE INSERT ON adjustment FOR EACH ROW EXECUTE FUNCTION refuse_sealed_adjustment();
ALTER TABLE adjustment ENABLE ALWAYS TRIGGER sealed;

CREATE TABLE crawler_day_line (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    rule text NOT NULL,
    unit_price_micros bigint NOT NULL CHECK (unit_price_micros >= 0),
    quantity bigint NOT NULL CONSTRAINT crawler_day_line_quantity_check
        CHECK (CASE WHEN kind IN ('crawls', 'fee', 'minimum') THEN quantity > 0 ELSE quantity < 0 END),
    amount_micros bigint NOT NULL CHECK (amount_micros = unit_price_micros * quantity),
    kind text NOT NULL DEFAULT 'crawls' CHECK (kind IN ('crawls', 'included', 'subscription',
        'tier', 'fee', 'minimum', 'reversal', 'refund', 'credit', 'void')),
    detail text NOT NULL DEFAULT '',
    adjustment_id uuid UNIQUE REFERENCES adjustment,
    corrects text,
    PRIMARY KEY (site_id, local_date, crawler_id, kind, rule, unit_price_micros, detail),
    FOREIGN KEY (site_id, local_date) REFERENCES day,
    FOREIGN KEY (site_id, corrects) REFERENCES invoice,
    CHECK ((kind IN ('reversal', 'refund', 'credit', 'void')) = (adjustment_id IS NOT NULL)),
    CHECK (corrects IS NULL OR adjustment_id IS NOT NULL)
);
COMMENT ON TABLE crawler_day_line IS 'A closed day by rule and price, and what the terms add: lines of the
crawler''s next invoice. What takes back counts below zero.';
COMMENT ON COLUMN crawler_day_line.detail IS 'What tells apart lines of the same rule and price: which tier,
which adjustment.';
COMMENT ON COLUMN crawler_day_line.corrects IS 'The invoice that the line corrects on a credit note. NULL: it
goes on the next invoice.';

CREATE TABLE invoice_line (
    site_id bigint NOT NULL,
    number text NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    description text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity <> 0),
    unit_price_micros bigint NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros = quantity * unit_price_micros),
    kind text NOT NULL DEFAULT 'crawls',
    adjustment_id uuid REFERENCES adjustment,
    PRIMARY KEY (site_id, number, line),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);
COMMENT ON TABLE invoice_line IS 'The lines of an invoice, numbered as they are printed. Their amounts come
to its subtotal.';

CREATE TABLE invoice_event (
    site_id bigint NOT NULL,
    number text NOT NULL,
    step integer NOT NULL CHECK (step > 0),
    event text NOT NULL CHECK (event IN ('issued', 'sent', 'paid', 'part-paid', 'overdue', 'void')),
    happened_at timestamptz NOT NULL,
    actor text NOT NULL,
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (site_id, number, step),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);
COMMENT ON TABLE invoice_event IS 'What happened to an invoice, in steps: issued, sent, void. Money that
came in is in invoice_payment.';

CREATE TABLE seller_logo (
    digest text PRIMARY KEY CHECK (digest = encode(sha256(picture), 'hex')),
    media_type text NOT NULL,
    picture bytea NOT NULL
);
COMMENT ON TABLE seller_logo IS 'Pictures that sellers have on their invoices, once each: seller_party names
them by digest.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['crawler_day', 'invoice', 'adjustment', 'crawler_day_line', 'invoice_line',
                    'invoice_event', 'seller_logo']) AS name;

-- What a day bills --------------------------------------------------------------------------------------

CREATE FUNCTION tax_note(treatment text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE treatment
        WHEN 'reverse-charge' THEN 'Reverse charge: the recipient is liable for the tax'
            ' (Article 196 of Directive 2006/112/EC).'
        WHEN 'exempt' THEN 'Exempt from tax.'
        WHEN 'zero' THEN 'Zero-rated.'
        ELSE '' END;
COMMENT ON FUNCTION tax_note IS 'What an invoice has to say about its tax; empty if nothing.';

CREATE FUNCTION billing_day(of_site bigint, of_date date)
    RETURNS TABLE (starts_at timestamptz, ends_at timestamptz, first_id uuid, end_id uuid,
                   close_number bigint, next_date date, minor bigint)
    LANGUAGE sql STABLE AS $$
    SELECT d.starts_at, d.ends_at, uuid_floor(d.starts_at), uuid_floor(d.ends_at),
           coalesce((SELECT c.close_number FROM day_close c
                      WHERE c.site_id = d.site_id AND c.local_date = d.local_date), 9223372036854775807),
           coalesce((SELECT n.local_date FROM day n
                      WHERE n.site_id = d.site_id AND n.local_date > d.local_date
                      ORDER BY n.local_date LIMIT 1), d.local_date + 1),
           minor_micros(s.currency_decimals)
      FROM day d JOIN site s USING (site_id) WHERE d.site_id = of_site AND d.local_date = of_date
$$;
COMMENT ON FUNCTION billing_day IS 'The bounds of a local day. close_number: its own, or that of a day that is
being closed, which comes after all others. next_date: what period a day ends depends on the next one, since
zones skip dates.';

CREATE FUNCTION billing_invoice(of_site bigint, of_crawler bigint, of_payment uuid,
                                before_close bigint)
    RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT i.number
      FROM day d
      JOIN crawler_day t ON t.site_id = d.site_id AND t.local_date = d.local_date
       AND t.crawler_id = of_crawler
      JOIN crawler_day b ON b.site_id = d.site_id AND b.crawler_id = of_crawler AND b.invoiced_micros > 0
       AND b.close_number >= t.close_number AND b.close_number < before_close
      JOIN invoice i ON i.site_id = d.site_id AND i.local_date = b.local_date AND i.crawler_id = of_crawler
       AND i.kind = 'invoice'
     WHERE d.site_id = of_site AND d.starts_at <= uuid_instant(of_payment)
       AND d.ends_at > uuid_instant(of_payment)
     ORDER BY b.close_number LIMIT 1
$$;
COMMENT ON FUNCTION billing_invoice IS 'The invoice that a charge stands on, among those of closes before the
given one: the first that was made on its day or later. NULL: it is not invoiced yet.';

CREATE FUNCTION billing_adjustments(of_site bigint, of_date date)
    RETURNS TABLE (adjustment_id uuid, crawler_id bigint, kind text, amount_micros bigint, corrects text)
    LANGUAGE sql STABLE AS $$
    WITH fresh AS (
        SELECT a.*, b.minor, coalesce(a.number,
                   billing_invoice(of_site, a.crawler_id, a.payment_id, b.close_number)) AS invoice
          FROM billing_day(of_site, of_date) b JOIN adjustment a ON a.adjustment_id < b.end_id
         WHERE a.site_id = of_site
           AND NOT EXISTS (SELECT FROM crawler_day_line l
                            WHERE l.adjustment_id = a.adjustment_id AND l.local_date < of_date)
    ), sums AS (
        SELECT f.invoice, least(sum(f.amount_micros), i.net_micros - coalesce((
                   SELECT sum(n.net_micros) FROM invoice n
                    WHERE n.site_id = of_site AND n.corrects = f.invoice AND n.local_date < of_date), 0)
               ) >= min(f.minor) AS noted
          FROM fresh f JOIN invoice i ON i.site_id = of_site AND i.number = f.invoice
         GROUP BY f.invoice, i.net_micros
    )
    SELECT f.adjustment_id, f.crawler_id, f.kind, f.amount_micros,
           CASE WHEN sums.noted THEN f.invoice END
      FROM fresh f LEFT JOIN sums USING (invoice)
$$;
COMMENT ON FUNCTION billing_adjustments IS 'The adjustments that a day''s close takes up. Those of charges
that stand on an invoice are for a credit note to it, unless they come to less than a minor unit or nothing
is left of the invoice; these, and those of charges that are not invoiced yet, go on the next invoice.';

CREATE FUNCTION billing_terms(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, agreement_id bigint, period_end boolean, carried_in_micros bigint,
                   crawls_before bigint, micros_before bigint, entries bigint, sum_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH crawled AS (
        SELECT l.crawler_id, sum(l.quantity)::bigint AS entries, sum(l.amount_micros)::bigint AS sum_micros
          FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind = 'crawls' GROUP BY l.crawler_id
    ), adjusted AS (
        SELECT DISTINCT a.crawler_id FROM billing_adjustments(of_site, of_date) a
    ), known AS (
        SELECT c.crawler_id, a.agreement_id, a.fee_micros > 0 OR a.minimum_fee_micros > 0 AS fees,
               greatest(coalesce(a.minimum_invoice_micros, 0), b.minor) AS least_micros,
               CASE coalesce(a.cadence, 'daily')
                   WHEN 'weekly' THEN date_trunc('week', b.next_date) <> date_trunc('week', of_date)
                   WHEN 'monthly' THEN date_trunc('month', b.next_date) <> date_trunc('month', of_date)
                   ELSE true END AS period_end,
               before.carried_out_micros AS carried_micros, NOT before.period_end AS in_period,
               before.period_crawls_before + before.entries AS crawls,
               before.period_micros_before + before.sum_micros + before.terms_micros AS micros
          FROM billing_day(of_site, of_date) b CROSS JOIN crawler c
          LEFT JOIN crawler_day today ON today.site_id = of_site AND today.local_date = of_date
           AND today.crawler_id = c.crawler_id
          LEFT JOIN LATERAL (SELECT v.agreement_id FROM agreement v
                 WHERE v.site_id = of_site AND v.crawler_id = c.crawler_id AND v.valid_from < b.ends_at
                 ORDER BY v.version DESC LIMIT 1) AS force ON true
          LEFT JOIN agreement a ON a.agreement_id = CASE WHEN today.crawler_id IS NULL
                                                         THEN force.agreement_id ELSE today.agreement_id END
          LEFT JOIN LATERAL (SELECT t.* FROM crawler_day t
                 WHERE t.site_id = of_site AND t.crawler_id = c.crawler_id AND t.close_number < b.close_number
                 ORDER BY t.close_number DESC LIMIT 1) AS before ON true
    )
    SELECT k.crawler_id, k.agreement_id, k.period_end, coalesce(k.carried_micros, 0),
           CASE WHEN k.in_period THEN k.crawls ELSE 0 END, CASE WHEN k.in_period THEN k.micros ELSE 0 END,
           coalesce(crawled.entries, 0), coalesce(crawled.sum_micros, 0)
      FROM known k LEFT JOIN crawled USING (crawler_id) LEFT JOIN adjusted USING (crawler_id)
     WHERE crawled.crawler_id IS NOT NULL OR adjusted.crawler_id IS NOT NULL
        OR k.period_end AND (k.fees OR k.in_period OR k.carried_micros >= k.least_micros)
$$;
COMMENT ON FUNCTION billing_terms IS 'The crawlers that a day concerns: with crawls, with adjustments, or
with a period that ends with the day and has a fee, days before, or enough carried for an invoice.';

CREATE FUNCTION billing_discounts(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, kind text, rule text, unit_price_micros bigint, quantity bigint,
                   detail text)
    LANGUAGE sql STABLE AS $$
    WITH counted AS (
        SELECT t.*, a.included_crawls, a.subscription
          FROM billing_terms(of_site, of_date) t JOIN agreement a USING (agreement_id) WHERE t.entries > 0
    ), band AS (
        -- From and to: numbers of crawls in the period. Included crawls come first, then tiers.
        SELECT c.crawler_id, c.crawls_before, c.entries, 'included' AS kind, 1 AS from_crawl,
               c.included_crawls AS to_crawl, 1000000 AS discount_ppm, '' AS detail
          FROM counted c WHERE NOT c.subscription AND c.included_crawls > 0
        UNION ALL
        SELECT c.crawler_id, c.crawls_before, c.entries, 'tier', c.included_crawls + r.from_crawl,
               c.included_crawls + coalesce(lead(r.from_crawl)
                   OVER (PARTITION BY c.crawler_id ORDER BY r.from_crawl) - 1, 1000000000000000),
               r.discount_ppm, rate_text(r.discount_ppm) || ' off from crawl ' || r.from_crawl
          FROM counted c JOIN agreement_tier r USING (agreement_id) WHERE NOT c.subscription
    ), touched AS (
        SELECT * FROM band WHERE from_crawl <= crawls_before + entries AND to_crawl > crawls_before
    ), price AS (
        SELECT l.crawler_id, l.rule, l.unit_price_micros AS price, l.quantity FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind = 'crawls'
    ), split AS (
        -- Days in which a band begins or ends: only there do single entries have to be counted.
        SELECT DISTINCT crawler_id, crawls_before FROM touched
         WHERE from_crawl > crawls_before + 1 OR to_crawl < crawls_before + entries
    ), numbered AS (
        SELECT c.crawler_id, c.rule, c.amount_micros AS price,
               s.crawls_before + row_number() OVER (PARTITION BY c.crawler_id ORDER BY c.payment_id) AS nth
          FROM billing_day(of_site, of_date) b JOIN charge c ON c.site_id = of_site
           AND c.payment_id >= b.first_id AND c.payment_id < b.end_id
          JOIN split s USING (crawler_id)
    ), found AS (
        SELECT b.crawler_id, b.kind, b.detail, b.discount_ppm, p.rule, p.price, p.quantity
          FROM touched b JOIN price p USING (crawler_id)
         WHERE NOT EXISTS (SELECT FROM split s WHERE s.crawler_id = b.crawler_id)
        UNION ALL
        SELECT b.crawler_id, b.kind, b.detail, b.discount_ppm, n.rule, n.price, count(*)
          FROM touched b JOIN numbered n ON n.crawler_id = b.crawler_id
           AND n.nth BETWEEN b.from_crawl AND b.to_crawl
         GROUP BY b.crawler_id, b.kind, b.detail, b.discount_ppm, n.rule, n.price
        UNION ALL
        SELECT c.crawler_id, 'subscription', '', 1000000, p.rule, p.price, p.quantity
          FROM counted c JOIN price p USING (crawler_id) WHERE c.subscription
    )
    SELECT f.crawler_id, f.kind, f.rule, share_of(f.price, f.discount_ppm), -sum(f.quantity)::bigint,
           CASE f.kind WHEN 'tier' THEN f.detail || ' at ' || micros_text(f.price) ELSE '' END
      FROM found f WHERE share_of(f.price, f.discount_ppm) > 0
     GROUP BY f.crawler_id, f.kind, f.rule, f.price, f.discount_ppm, f.detail
$$;
COMMENT ON FUNCTION billing_discounts IS 'What the terms take off the day''s crawls: covered by a
subscription, included, or discounted by tiers, in the order of payment ids within the period. A discount is
rounded down to the micro-unit for each crawl, so that it does not depend on how days divide a period.';

CREATE FUNCTION billing_lines(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, kind text, rule text, unit_price_micros bigint, quantity bigint,
                   detail text, adjustment_id uuid, corrects text)
    LANGUAGE sql STABLE AS $$
    WITH terms AS (
        SELECT t.*, a.fee_micros, a.minimum_fee_micros
          FROM billing_terms(of_site, of_date) t LEFT JOIN agreement a USING (agreement_id)
    ), discount AS (
        SELECT * FROM billing_discounts(of_site, of_date)
    ), short AS (
        SELECT t.crawler_id, t.minimum_fee_micros,
               t.minimum_fee_micros - (t.micros_before + t.sum_micros + t.fee_micros + coalesce((
                   SELECT sum(d.quantity * d.unit_price_micros) FROM discount d
                    WHERE d.crawler_id = t.crawler_id), 0))::bigint AS micros
          FROM terms t WHERE t.period_end AND t.minimum_fee_micros > 0
    )
    SELECT d.crawler_id, d.kind, d.rule, d.unit_price_micros, d.quantity, d.detail, NULL::uuid, NULL::text
      FROM discount d
    UNION ALL
    SELECT t.crawler_id, 'fee', '', t.fee_micros, 1, '', NULL, NULL
      FROM terms t WHERE t.period_end AND t.fee_micros > 0
    UNION ALL
    SELECT s.crawler_id, 'minimum', '', s.micros, 1, 'of ' || micros_text(s.minimum_fee_micros), NULL, NULL
      FROM short s WHERE s.micros > 0
    UNION ALL
    SELECT a.crawler_id, a.kind, '', a.amount_micros, -1, a.adjustment_id::text, a.adjustment_id, a.corrects
      FROM billing_adjustments(of_site, of_date) a
$$;
COMMENT ON FUNCTION billing_lines IS 'The lines that a day has beside its crawls.';

CREATE FUNCTION billing_credits(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, corrects text, subtotal_micros bigint, net_micros bigint,
                   left_minor bigint)
    LANGUAGE sql STABLE AS $$
    SELECT o.crawler_id, o.number, o.taken, o.taken_net - o.taken_net % o.minor, o.left_micros / o.minor
      FROM (SELECT i.crawler_id, i.number, w.taken, b.minor, r.left_micros,
                   least(w.taken, r.left_micros) AS taken_net
              FROM billing_day(of_site, of_date) b
              CROSS JOIN (SELECT l.corrects, -sum(l.amount_micros)::bigint AS taken FROM crawler_day_line l
                           WHERE l.site_id = of_site AND l.local_date = of_date AND l.corrects IS NOT NULL
                           GROUP BY l.corrects) AS w
              JOIN invoice i ON i.site_id = of_site AND i.number = w.corrects
              CROSS JOIN LATERAL (SELECT i.net_micros - coalesce(sum(n.net_micros), 0)::bigint AS left_micros
                  FROM invoice n WHERE n.site_id = of_site AND n.corrects = i.number
                   AND n.local_date < of_date) AS r) AS o
$$;
COMMENT ON FUNCTION billing_credits IS 'The credit notes of a day, from its lines: to which invoice, what is
taken back, and how much of it in whole minor units; the rest is carried. left_minor: what was left of the
invoice''s net amount before.';

CREATE FUNCTION billing_chain(of_site bigint, of_date date)
    RETURNS TABLE (crawler_id bigint, agreement_id bigint, period_end boolean, crawls_before bigint,
                   micros_before bigint, entries bigint, sum_micros bigint, terms_micros bigint,
                   adjusted_micros bigint, carried_in_micros bigint, invoiced_micros bigint,
                   credited_micros bigint, carried_out_micros bigint)
    LANGUAGE sql STABLE AS $$
    WITH other AS (
        SELECT l.crawler_id,
               coalesce(sum(l.amount_micros) FILTER (WHERE l.adjustment_id IS NULL), 0)::bigint
                   AS terms_micros,
               coalesce(sum(l.amount_micros) FILTER (WHERE l.adjustment_id IS NOT NULL), 0)::bigint
                   AS adjusted_micros
          FROM crawler_day_line l
         WHERE l.site_id = of_site AND l.local_date = of_date AND l.kind <> 'crawls' GROUP BY l.crawler_id
    ), credit AS (
        SELECT c.crawler_id, sum(c.net_micros)::bigint AS credited_micros
          FROM billing_credits(of_site, of_date) c GROUP BY c.crawler_id
    ), due AS (
        SELECT t.*, b.minor, coalesce(o.terms_micros, 0) AS terms_micros,
               coalesce(o.adjusted_micros, 0) AS adjusted_micros,
               coalesce(c.credited_micros, 0) AS credited_micros,
               t.carried_in_micros + t.sum_micros + coalesce(o.terms_micros, 0)
                   + coalesce(o.adjusted_micros, 0) + coalesce(c.credited_micros, 0) AS due_micros,
               greatest(coalesce(a.minimum_invoice_micros, 0), b.minor) AS least_micros
          FROM billing_day(of_site, of_date) b CROSS JOIN billing_terms(of_site, of_date) t
          LEFT JOIN agreement a USING (agreement_id)
          LEFT JOIN other o ON o.crawler_id = t.crawler_id
          LEFT JOIN credit c ON c.crawler_id = t.crawler_id
    ), rounded AS (
        SELECT d.*, CASE WHEN d.period_end AND d.due_micros >= d.least_micros
                         THEN d.due_micros - d.due_micros % d.minor ELSE 0 END AS invoiced_micros
          FROM due d
    )
    SELECT r.crawler_id, r.agreement_id, r.period_end, r.crawls_before, r.micros_before, r.entries,
           r.sum_micros, r.terms_micros, r.adjusted_micros, r.carried_in_micros, r.invoiced_micros,
           r.credited_micros, r.due_micros - r.invoiced_micros
      FROM rounded r
$$;
COMMENT ON FUNCTION billing_chain IS 'The rows of crawler_day that follow from the day''s lines. What is due
is rounded down to the minor unit, once, here; the rest is carried, and all of it when the period has not
ended or less is due than the minimum invoice or a minor unit.';
