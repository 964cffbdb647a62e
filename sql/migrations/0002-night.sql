-- What the nightly job makes of the entries. Every row is written in the transaction that closes the day.

CREATE TABLE number_series (
    site_id bigint NOT NULL REFERENCES site,
    series text NOT NULL,
    last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0),
    PRIMARY KEY (site_id, series)
);
COMMENT ON TABLE number_series IS 'Counters without gaps: a number is taken in the transaction that uses
it, so that a rollback gives it back, as a sequence would not. Series "day" counts closed days; its row is
the lock that keeps two nightly jobs apart. Series such as "INV-2026" number invoices.';

CREATE FUNCTION refuse_step_back() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.last_number < OLD.last_number OR NEW.site_id <> OLD.site_id OR NEW.series <> OLD.series THEN
        RAISE EXCEPTION 'series "%" may only count up', OLD.series USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER count_up BEFORE UPDATE ON number_series FOR EACH ROW EXECUTE FUNCTION refuse_step_back();
ALTER TABLE number_series ENABLE ALWAYS TRIGGER count_up;
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON number_series
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE number_series ENABLE ALWAYS TRIGGER append_only;

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

CREATE TABLE crawler_day (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    close_number bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries > 0),
    sum_micros bigint NOT NULL CHECK (sum_micros >= 0),
    carried_in_micros bigint NOT NULL CHECK (carried_in_micros >= 0),
    invoiced_micros bigint NOT NULL CHECK (invoiced_micros >= 0),
    carried_out_micros bigint NOT NULL CHECK (carried_out_micros >= 0),
    PRIMARY KEY (site_id, crawler_id, close_number),
    UNIQUE (site_id, local_date, crawler_id),
    FOREIGN KEY (site_id, local_date) REFERENCES day,
    CONSTRAINT entries_are_invoiced_or_carried
        CHECK (carried_in_micros + sum_micros = invoiced_micros + carried_out_micros)
);
COMMENT ON TABLE crawler_day IS 'Per site, closed day and crawler: entries = invoice + what is carried
forward, to the micro-unit (promise P4). The invoice is rounded down to the currency''s minor unit once,
here.';

CREATE TABLE crawler_day_line (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    rule text NOT NULL,
    unit_price_micros bigint NOT NULL CHECK (unit_price_micros >= 0),
    quantity bigint NOT NULL CHECK (quantity > 0),
    amount_micros bigint NOT NULL CHECK (amount_micros = unit_price_micros * quantity),
    PRIMARY KEY (site_id, local_date, crawler_id, rule, unit_price_micros),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE crawler_day_line IS 'The entries of a closed day by rule and price: the one pass over the
entries from which totals and invoices are made.';

CREATE TABLE invoice (
    site_id bigint NOT NULL REFERENCES site,
    number text NOT NULL,
    series text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence > 0),
    crawler_id bigint NOT NULL,
    local_date date NOT NULL,
    site_name text NOT NULL,
    seller text NOT NULL,
    agent text NOT NULL,
    network text NOT NULL,
    currency text NOT NULL,
    currency_decimals smallint NOT NULL,
    time_zone text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    entries bigint NOT NULL CHECK (entries > 0),
    carried_in_micros bigint NOT NULL,
    subtotal_micros bigint NOT NULL,
    carried_out_micros bigint NOT NULL,
    total_micros bigint NOT NULL,
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    rounding text NOT NULL,
    PRIMARY KEY (site_id, number),
    UNIQUE (site_id, series, sequence),
    UNIQUE (site_id, local_date, crawler_id),
    FOREIGN KEY (site_id, local_date, crawler_id) REFERENCES crawler_day (site_id, local_date, crawler_id),
    CHECK (carried_in_micros + subtotal_micros = total_micros + carried_out_micros)
);
COMMENT ON TABLE invoice IS 'Parties, zone and texts are copied in: an invoice reads the same for ever.
Its date is the billed local day. Its status is the newest invoice_event.';

CREATE TABLE invoice_line (
    site_id bigint NOT NULL,
    number text NOT NULL,
    line integer NOT NULL CHECK (line > 0),
    description text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    unit_price_micros bigint NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros = quantity * unit_price_micros),
    PRIMARY KEY (site_id, number, line),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);

CREATE TABLE invoice_event (
    site_id bigint NOT NULL,
    number text NOT NULL,
    step integer NOT NULL CHECK (step > 0),
    event text NOT NULL CHECK (event IN ('issued', 'sent', 'paid', 'part-paid', 'overdue', 'void')),
    happened_at timestamptz NOT NULL,
    actor text NOT NULL,
    PRIMARY KEY (site_id, number, step),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['day_close', 'crawler_day', 'crawler_day_line', 'invoice', 'invoice_line',
      'invoice_event']) AS name;

DO $$
DECLARE
    night text := current_setting('crawltab.operator_role');
BEGIN
    EXECUTE format('GRANT SELECT, INSERT ON number_series, day_close, crawler_day, crawler_day_line, invoice,'
                   ' invoice_line, invoice_event TO %I', night);
    EXECUTE format('GRANT UPDATE (last_number) ON number_series TO %I', night);
END
$$;
