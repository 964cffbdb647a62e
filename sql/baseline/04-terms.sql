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
    tax_treatment text NOT NULL CHECK (tax_treatment IN ('none', 'standard', 'zero', 'exempt',
        'reverse-charge')),
    tax_rate_ppm integer NOT NULL CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    due_days integer NOT NULL CHECK (due_days BETWEEN 0 AND 366),
    buyer jsonb NOT NULL CHECK (jsonb_typeof(buyer) = 'object'),
    settlement jsonb NOT NULL CHECK (jsonb_typeof(settlement) = 'object'),
    fee_proration text NOT NULL DEFAULT 'none' CHECK (fee_proration IN ('none', 'daily')),
    dispute_window_days integer CHECK (dispute_window_days BETWEEN 0 AND 3650),
    dispute_answer_days integer CHECK (dispute_answer_days BETWEEN 1 AND 366),
    dispute_share_ppm integer CHECK (dispute_share_ppm BETWEEN 0 AND 1000000),
    dispute_limit_micros bigint CHECK (dispute_limit_micros >= 0),
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
COMMENT ON COLUMN agreement.fee_proration IS 'none: the whole fee of the terms in force at a period''s end.
daily: its share for each day that ends with it in force and not suspended.';
COMMENT ON COLUMN agreement.dispute_window_days IS 'How long after the crawl, or after its invoice, it can be
disputed. NULL, here and in the next three: as the configuration says.';
COMMENT ON COLUMN agreement.dispute_answer_days IS 'How long the site''s operator has to decide.';
COMMENT ON COLUMN agreement.dispute_share_ppm IS 'The share of what was charged within 30 days that rules give
back without a person.';
COMMENT ON COLUMN agreement.dispute_limit_micros IS 'The most that rules give back within 30 days without a
person.';

CREATE TABLE agreement_price (
    agreement_id bigint NOT NULL REFERENCES agreement,
    position integer NOT NULL CHECK ("position" > 0),
    rule text CHECK (rule <> ''),
    paths text[] CHECK (cardinality(paths) > 0),
    price_micros bigint NOT NULL CHECK (price_micros >= 0),
    PRIMARY KEY (agreement_id, "position"),
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

CREATE TABLE site_terms (
    site_id bigint NOT NULL REFERENCES site,
    version integer NOT NULL CHECK (version > 0),
    valid_from timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    hold boolean NOT NULL,
    cadence text NOT NULL CHECK (cadence IN ('daily', 'weekly', 'monthly')),
    minimum_invoice_micros bigint NOT NULL CHECK (minimum_invoice_micros >= 0),
    due_days integer NOT NULL CHECK (due_days BETWEEN 0 AND 366),
    tax_treatment text NOT NULL CHECK (tax_treatment IN ('none', 'standard', 'zero', 'exempt')),
    tax_rate_ppm integer NOT NULL CHECK (tax_rate_ppm BETWEEN 0 AND 1000000),
    PRIMARY KEY (site_id, version),
    CHECK (tax_treatment = 'standard' OR tax_rate_ppm = 0)
);
COMMENT ON TABLE site_terms IS 'The terms of crawlers without an agreement, as the configuration says them.
The night records a new version when they have changed; it counts from the oldest day that is open then, so
that what was closed stays as it was billed.';
COMMENT ON COLUMN site_terms.hold IS 'Nothing is invoiced without an agreement: it is carried until there is
one.';

CREATE FUNCTION tax_of(net_minor bigint, rate_ppm integer) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN div(net_minor::numeric * rate_ppm + 500000, 1000000)::bigint;
COMMENT ON FUNCTION tax_of IS 'Tax on a net amount that is not negative, to the minor unit, half up.';

CREATE FUNCTION agreement_text(of_agreement bigint) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT 'Agreement version ' || a.version || ', in force from ' || left(instant_text(a.valid_from), 10)
            || ': invoices ' || a.cadence
            || CASE WHEN a.fee_micros > 0 THEN '; fee ' || micros_text(a.fee_micros) || ' a period, '
                        || CASE a.fee_proration WHEN 'none' THEN 'whole also for a part of it'
                           ELSE 'by the days on which it is in force and not suspended' END
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

CREATE FUNCTION tax_note(treatment text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE treatment
        WHEN 'reverse-charge' THEN 'Reverse charge: the recipient is liable for the tax'
            ' (Article 196 of Directive 2006/112/EC).'
        WHEN 'exempt' THEN 'Exempt from tax.'
        WHEN 'zero' THEN 'Zero-rated.'
        ELSE '' END;
COMMENT ON FUNCTION tax_note IS 'What an invoice has to say about its tax; empty if nothing.';

CREATE FUNCTION count_agreements() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO number_series AS n (site_id, series, last_number)
    SELECT site_id, 'agreement', count(*) FROM made GROUP BY site_id ORDER BY site_id
    ON CONFLICT (site_id, series) DO UPDATE SET last_number = n.last_number + excluded.last_number;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION count_agreements IS 'Trigger of agreement: counts its versions.';

CREATE FUNCTION billing_defaults(of_site bigint, of_date date)
    RETURNS TABLE (version integer, hold boolean, cadence text, minimum_invoice_micros bigint,
                   due_days integer, tax_treatment text, tax_rate_ppm integer)
    LANGUAGE sql STABLE AS $$
    SELECT t.version, t.hold, t.cadence, t.minimum_invoice_micros, t.due_days, t.tax_treatment, t.tax_rate_ppm
      FROM day d JOIN site_terms t USING (site_id)
     WHERE d.site_id = of_site AND d.local_date = of_date AND t.valid_from < d.ends_at
     ORDER BY t.version DESC LIMIT 1
$$;
COMMENT ON FUNCTION billing_defaults IS 'What a site bills without an agreement, in force just before a day''s
end. No row: daily, without tax, due in 30 days.';

CREATE FUNCTION billing_defaults_text(of_site bigint, of_date date) RETURNS text
    LANGUAGE sql STABLE AS $$
    SELECT 'No agreement: the site''s price list, invoices ' || coalesce(f.cadence, 'daily')
        || CASE WHEN f.minimum_invoice_micros > 0
                THEN '; less than ' || micros_text(f.minimum_invoice_micros) || ' is carried forward'
                ELSE '' END
        || '; due in ' || coalesce(f.due_days, 30) || ' days.'
      FROM (SELECT) AS one LEFT JOIN billing_defaults(of_site, of_date) f ON true
$$;
COMMENT ON FUNCTION billing_defaults_text IS 'What billing_defaults says, as invoices print it.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['agreement', 'agreement_price', 'agreement_tier', 'site_terms']) AS name;

CREATE TRIGGER counted AFTER INSERT ON agreement REFERENCING NEW TABLE AS made FOR EACH STATEMENT EXECUTE
    FUNCTION count_agreements();
ALTER TABLE agreement ENABLE ALWAYS TRIGGER counted;

REVOKE ALL ON FUNCTION count_agreements FROM PUBLIC;
