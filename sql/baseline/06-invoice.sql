-- The accounts of closed days, what is taken back of them, and the invoices that are made of both.

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
    adjusted_micros bigint NOT NULL DEFAULT 0,
    credited_micros bigint NOT NULL DEFAULT 0 CHECK (credited_micros >= 0),
    reissued_micros bigint NOT NULL DEFAULT 0 CHECK (reissued_micros >= 0),
    PRIMARY KEY (site_id, crawler_id, close_number),
    UNIQUE (site_id, local_date, crawler_id),
    FOREIGN KEY (site_id, local_date) REFERENCES day,
    CONSTRAINT entries_are_invoiced_or_carried
        CHECK (carried_in_micros + sum_micros + terms_micros + adjusted_micros
               = invoiced_micros + reissued_micros - credited_micros + carried_out_micros)
);
COMMENT ON TABLE crawler_day IS 'Per site, closed day and crawler: crawls and what the terms make of them =
invoices - credit notes + what is carried forward, to the micro-unit (promise P4). What is carried may be
below zero: the crawler has it to its credit. A crawler has a row for each day on which something of it
changed.';
COMMENT ON COLUMN crawler_day.agreement_id IS 'The version in force just before the day''s end. NULL: none.';
COMMENT ON COLUMN crawler_day.period_end IS 'A billing period ends with this day: an invoice may be made, and
the counting of included crawls, tiers and the minimum fee starts anew.';
COMMENT ON COLUMN crawler_day.period_crawls_before IS 'Crawls of the period before this day that cost
something.';
COMMENT ON COLUMN crawler_day.period_micros_before IS 'What crawls, fees and discounts of the period came to
before this day; without adjustments.';
COMMENT ON COLUMN crawler_day.terms_micros IS 'Fees, discounts, covers and top-ups of the day.';
COMMENT ON COLUMN crawler_day.reissued_micros IS 'Net amounts of the invoices that were made in place of
others.';

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
    net_micros bigint NOT NULL,
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
    tax_treatment text NOT NULL DEFAULT 'none' CHECK (tax_treatment IN ('none', 'standard', 'zero', 'exempt',
        'reverse-charge')),
    tax_rate_ppm integer NOT NULL DEFAULT 0 CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    tax_minor bigint NOT NULL DEFAULT 0 CHECK (tax_minor >= 0),
    net_minor bigint NOT NULL GENERATED ALWAYS AS (total_minor - tax_minor) STORED,
    tax_note text NOT NULL DEFAULT '',
    made_at timestamptz,
    issue_date date NOT NULL,
    replaces text,
    crawls_date date,
    PRIMARY KEY (site_id, number),
    UNIQUE (site_id, series, sequence),
    CONSTRAINT invoice_of_a_day UNIQUE NULLS NOT DISTINCT (site_id, local_date, crawler_id, corrects,
        replaces),
    FOREIGN KEY (site_id, local_date, crawler_id) REFERENCES crawler_day (site_id, local_date, crawler_id),
    FOREIGN KEY (site_id, corrects) REFERENCES invoice,
    FOREIGN KEY (site_id, replaces) REFERENCES invoice,
    CHECK (carried_in_micros + subtotal_micros = net_micros + carried_out_micros),
    CONSTRAINT invoice_check1 CHECK (net_micros = net_minor * minor_micros(currency_decimals)),
    CONSTRAINT invoice_check2 CHECK (kind = 'credit-note' OR tax_minor = tax_of(net_minor, tax_rate_ppm)),
    CONSTRAINT invoice_check3 CHECK ((kind = 'credit-note') = (corrects IS NOT NULL)),
    CONSTRAINT invoice_check4 CHECK ((kind = 'credit-note') = (due_date IS NULL)),
    CONSTRAINT invoice_replaces_check CHECK ((replaces IS NULL) = (crawls_date IS NULL)
                                            AND (replaces IS NULL OR kind = 'invoice'))
);
COMMENT ON TABLE invoice IS 'Invoices and credit notes. Parties, zone, terms and texts are copied in: an
invoice reads the same for ever. local_date is the last day of its period. A credit note says in positive
amounts what is taken back from one invoice.';
COMMENT ON COLUMN invoice.carried_in_micros IS 'The rounding remainder of the crawler''s last invoice, and
those of credit notes since.';
COMMENT ON COLUMN invoice.made_at IS 'By the clock of the night that made it. NULL: not known.';
COMMENT ON COLUMN invoice.issue_date IS 'The local date of made_at, from which due_date counts. On invoices of
before, which have been handed out so, it is local_date.';
COMMENT ON COLUMN invoice.replaces IS 'The void invoice whose crawls this one bills to another party.';
COMMENT ON COLUMN invoice.crawls_date IS 'With replaces: the date of the first invoice over the same
crawls.';
CREATE INDEX invoice_corrects ON invoice (site_id, corrects) WHERE corrects IS NOT NULL;
CREATE INDEX invoice_crawler ON invoice (site_id, crawler_id, local_date);
CREATE INDEX invoice_replaces ON invoice (site_id, replaces) WHERE replaces IS NOT NULL;
CREATE INDEX invoice_newest ON invoice (local_date, site_id, number);

CREATE TABLE adjustment (
    adjustment_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL REFERENCES crawler,
    kind text NOT NULL CHECK (kind IN ('reversal', 'refund', 'credit', 'void', 'reissue')),
    payment_id uuid,
    number text,
    amount_micros bigint NOT NULL CHECK (amount_micros > 0),
    reason text NOT NULL CHECK (reason <> ''),
    actor text NOT NULL CHECK (actor <> ''),
    recorded_at timestamptz NOT NULL,
    FOREIGN KEY (site_id, number) REFERENCES invoice,
    CHECK (num_nonnulls(payment_id, number) = 1 AND (kind IN ('void', 'reissue')) = (number IS NOT NULL))
);
COMMENT ON TABLE adjustment IS 'What is taken back of a charge, or of a whole invoice. It belongs to the day
in which it is made (a UUIDv7 of its own); when that day is closed it becomes part of a credit note if the
charge stands on an invoice, and a line of the next invoice if not.';
COMMENT ON COLUMN adjustment.kind IS 'reversal: the charge, or what is left of it, was wrong. refund: money
is paid back. credit: goodwill. void: of a whole invoice, nothing of which was paid. reissue: bills again
what a void takes back, to the buyer of the agreement in force at the end of its day.';
CREATE INDEX adjustment_payment ON adjustment (payment_id);
CREATE INDEX adjustment_site ON adjustment (site_id, adjustment_id);

CREATE TABLE crawler_day_line (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    rule text NOT NULL,
    unit_price_micros bigint NOT NULL CHECK (unit_price_micros >= 0),
    quantity bigint NOT NULL,
    amount_micros bigint NOT NULL,
    kind text NOT NULL DEFAULT 'crawls' CHECK (kind IN ('crawls', 'included', 'subscription', 'tier', 'fee',
        'minimum', 'reversal', 'refund', 'credit', 'void', 'reissue')),
    detail text NOT NULL DEFAULT '',
    adjustment_id uuid UNIQUE REFERENCES adjustment,
    corrects text,
    PRIMARY KEY (site_id, local_date, crawler_id, kind, rule, unit_price_micros, detail),
    FOREIGN KEY (site_id, local_date) REFERENCES day,
    FOREIGN KEY (site_id, corrects) REFERENCES invoice,
    CHECK (amount_micros = unit_price_micros * quantity),
    CONSTRAINT crawler_day_line_check2 CHECK (corrects IS NULL OR adjustment_id IS NOT NULL),
    CONSTRAINT crawler_day_line_quantity_check
        CHECK (CASE WHEN kind IN ('crawls', 'fee', 'minimum', 'reissue') THEN quantity > 0
                    ELSE quantity < 0 END),
    CONSTRAINT crawler_day_line_check1
        CHECK ((kind IN ('reversal', 'refund', 'credit', 'void', 'reissue')) = (adjustment_id IS NOT NULL))
);
COMMENT ON TABLE crawler_day_line IS 'A closed day by rule and price, and what the terms add: lines of the
crawler''s next invoice. What takes back counts below zero.';
COMMENT ON COLUMN crawler_day_line.detail IS 'What tells apart lines of the same rule and price: which tier,
which adjustment.';
COMMENT ON COLUMN crawler_day_line.corrects IS 'The invoice that the line corrects on a credit note, or that
a reissue bills anew. NULL: it goes on the next invoice.';
CREATE INDEX crawler_day_line_corrects ON crawler_day_line (site_id, corrects) WHERE corrects IS NOT NULL;

CREATE TABLE invoice_line (
    site_id bigint NOT NULL,
    number text NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    description text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity <> 0),
    unit_price_micros bigint NOT NULL,
    amount_micros bigint NOT NULL,
    kind text NOT NULL DEFAULT 'crawls',
    adjustment_id uuid REFERENCES adjustment,
    PRIMARY KEY (site_id, number, line),
    FOREIGN KEY (site_id, number) REFERENCES invoice,
    CHECK (amount_micros = (quantity * unit_price_micros))
);
COMMENT ON TABLE invoice_line IS 'The lines of an invoice, numbered as they are printed. Their amounts come
to its subtotal.';

CREATE TABLE invoice_event (
    site_id bigint NOT NULL,
    number text NOT NULL,
    step integer NOT NULL CHECK (step > 0),
    event text NOT NULL CHECK (event IN ('issued', 'sent', 'paid', 'part-paid', 'overdue', 'void',
        'returned', 'credit-applied', 'reissued')),
    happened_at timestamptz NOT NULL,
    actor text NOT NULL,
    detail text NOT NULL DEFAULT '',
    PRIMARY KEY (site_id, number, step),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);
COMMENT ON TABLE invoice_event IS 'What happened to an invoice, in steps: issued, sent, void. Money that
came in is in invoice_payment.';
COMMENT ON COLUMN invoice_event.detail IS 'returned: the bank''s reason and the movement. credit-applied:
how much, and from or to which invoice.';

CREATE TABLE seller_logo (
    digest text PRIMARY KEY,
    media_type text NOT NULL,
    picture bytea NOT NULL,
    CHECK (digest = encode(sha256(picture), 'hex'))
);
COMMENT ON TABLE seller_logo IS 'Pictures that sellers have on their invoices, once each: seller_party names
them by digest.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['crawler_day', 'invoice', 'adjustment', 'crawler_day_line', 'invoice_line',
                    'invoice_event', 'seller_logo']) AS name;

CREATE TRIGGER sealed BEFORE INSERT ON adjustment FOR EACH ROW EXECUTE FUNCTION refuse_sealed_adjustment();
ALTER TABLE adjustment ENABLE ALWAYS TRIGGER sealed;
