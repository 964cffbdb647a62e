-- What a site and a crawler have agreed, in versions: what the gate asks before it takes a payment, and the
-- night before it makes an invoice.

CREATE TABLE agreement (
    agreement_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    crawler_id bigint NOT NULL REFERENCES crawler,
    version integer NOT NULL CHECK (version > 0),
    valid_from timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    reason text NOT NULL CHECK (reason <> ''),
    status text NOT NULL CHECK (status IN ('active', 'suspended')),
    day_limit_micros bigint CHECK (day_limit_micros >= 0),
    balance_limit_micros bigint CHECK (balance_limit_micros >= 0),
    cadence text NOT NULL CHECK (cadence IN ('daily', 'weekly', 'monthly')),
    subscription boolean NOT NULL,
    fee_micros bigint NOT NULL CHECK (fee_micros >= 0),
    included_crawls bigint NOT NULL CHECK (included_crawls >= 0),
    minimum_fee_micros bigint NOT NULL CHECK (minimum_fee_micros >= 0),
    minimum_invoice_micros bigint NOT NULL CHECK (minimum_invoice_micros >= 0),
    tax_treatment text NOT NULL
        CHECK (tax_treatment IN ('none', 'standard', 'zero', 'exempt', 'reverse-charge')),
    tax_rate_ppm integer NOT NULL CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    due_days integer NOT NULL CHECK (due_days BETWEEN 0 AND 366),
    buyer jsonb NOT NULL CHECK (jsonb_typeof(buyer) = 'object'),
    settlement jsonb NOT NULL CHECK (jsonb_typeof(settlement) = 'object'),
    UNIQUE (site_id, crawler_id, version),
    CHECK (tax_treatment = 'standard' OR tax_rate_ppm = 0)
);
COMMENT ON TABLE agreement IS 'One version of what a site and a crawler have agreed. In force at an instant
is the highest version whose valid_from is not after it; without one, the site''s price list, no limits but
the configuration''s, and a daily invoice without tax. Versions are never changed: a new one says everything
anew.';
COMMENT ON COLUMN agreement.valid_from IS 'Prices, status and limits change at this instant; what belongs to
a billing period (fee, included crawls, tiers, minimum, cadence, tax, parties) is read at the period''s end.';
COMMENT ON COLUMN agreement.day_limit_micros IS 'The most that the crawler may spend in one billing day of the
site. NULL: the configuration''s.';
COMMENT ON COLUMN agreement.balance_limit_micros IS 'The most that the crawler may owe: entries not invoiced,
and invoices not paid. NULL: the configuration''s.';
COMMENT ON COLUMN agreement.subscription IS 'Crawls are recorded at their price and covered by the fee.';
COMMENT ON COLUMN agreement.fee_micros IS 'Flat fee of one period of the cadence, whether or not there were
crawls.';
COMMENT ON COLUMN agreement.included_crawls IS 'The first so many crawls of a period are covered.';
COMMENT ON COLUMN agreement.minimum_fee_micros IS 'What a period''s fee and crawls come to at least.';
COMMENT ON COLUMN agreement.minimum_invoice_micros IS 'Less than this is carried forward to the next period.';
COMMENT ON COLUMN agreement.tax_rate_ppm IS 'Millionths: 190000 is 19 %.';
COMMENT ON COLUMN agreement.buyer IS 'Billing party: name, address, tax id, e-mail, purchase order; copied
into invoices.';
COMMENT ON COLUMN agreement.settlement IS 'How the crawler''s operator pays: rail and its particulars.';

CREATE TABLE agreement_price (
    agreement_id bigint NOT NULL REFERENCES agreement,
    position integer NOT NULL CHECK (position > 0),
    rule text CHECK (rule <> ''),
    paths text[] CHECK (cardinality(paths) > 0),
    price_micros bigint NOT NULL CHECK (price_micros >= 0),
    PRIMARY KEY (agreement_id, position),
    CHECK (num_nonnulls(rule, paths) = 1)
);
COMMENT ON TABLE agreement_price IS 'The price list''s exceptions for one crawler, by name of a rule or by
globs over the path, in order: the first that fits decides. They change the price of what a rule charges,
not whether it charges.';

CREATE TABLE agreement_tier (
    agreement_id bigint NOT NULL REFERENCES agreement,
    from_crawl bigint NOT NULL CHECK (from_crawl > 0),
    discount_ppm integer NOT NULL CHECK (discount_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (agreement_id, from_crawl)
);
COMMENT ON TABLE agreement_tier IS 'Volume tiers: from the given crawl of a period on (counted in the
order of payment ids, after the included ones), crawls are discounted by so many millionths of their price.
Each tier counts for the crawls within it.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['agreement', 'agreement_price', 'agreement_tier']) AS name;

CREATE FUNCTION agreement_text(of_agreement bigint) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT 'Agreement version ' || a.version || ', in force from ' || left(instant_text(a.valid_from), 10)
            || ': invoices ' || a.cadence
            || CASE WHEN a.fee_micros > 0 THEN '; fee ' || micros_text(a.fee_micros) || ' a period'
                    ELSE '' END
            || CASE WHEN a.subscription THEN '; crawls are covered by the subscription' ELSE '' END
            || CASE WHEN a.included_crawls > 0
                    THEN '; the first ' || a.included_crawls || ' crawls of a period are included' ELSE '' END
            || coalesce((SELECT string_agg('; from crawl ' || r.from_crawl || ' on '
                                    || rate_text(r.discount_ppm) || ' off', '' ORDER BY r.from_crawl)
                           FROM agreement_tier r WHERE r.agreement_id = a.agreement_id), '')
            || CASE WHEN a.minimum_fee_micros > 0
                    THEN '; at least ' || micros_text(a.minimum_fee_micros) || ' a period' ELSE '' END
            || CASE WHEN a.minimum_invoice_micros > 0
                    THEN '; less than ' || micros_text(a.minimum_invoice_micros) || ' is carried forward'
                    ELSE '' END
            || '; due in ' || a.due_days || ' days.'
          FROM agreement a WHERE a.agreement_id = of_agreement),
        'No agreement: the site''s price list, invoices daily; due in 30 days.')
$$;
COMMENT ON FUNCTION agreement_text IS 'The terms in a sentence or two, as invoices print them. NULL: those
of a crawler without an agreement.';
