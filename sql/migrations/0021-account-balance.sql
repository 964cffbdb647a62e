-- What crawlers owe, written down whenever it changes, so that a gate reads where each account stands and not
-- how it came to that. What was spent on days that nobody closes is written down with it: else a site that is
-- never billed would have to be added up from its first day on, by every gate and at each of its starts.

CREATE TABLE account_balance (
    site_id bigint NOT NULL REFERENCES site,
    step bigint NOT NULL CHECK (step > 0),
    crawler_id bigint NOT NULL REFERENCES crawler,
    owed_micros bigint NOT NULL,
    counted_to timestamptz NOT NULL,
    PRIMARY KEY (site_id, step, crawler_id)
);
CREATE INDEX account_balance_last ON account_balance (site_id, crawler_id, step);
COMMENT ON TABLE account_balance IS 'What a crawler owes a site after each change: carried forward from closed
days, invoices less credit notes and payments, and what was spent on accrued days that are not closed; under
its present account also what accounts of before owe (crawler_account). The newest row is where it stands.
Written by triggers of the tables that it is made of, and by accrue_days.';
COMMENT ON COLUMN account_balance.step IS 'Changes of the site in the order of their commits: whoever has read
up to a step has missed nothing below it.';
COMMENT ON COLUMN account_balance.owed_micros IS 'Below zero: the crawler has it to its credit.';
COMMENT ON COLUMN account_balance.counted_to IS 'What was spent before this instant is in it, and nothing of
what was spent later.';

CREATE TABLE day_accrual (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    accrued_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, local_date),
    FOREIGN KEY (site_id, local_date) REFERENCES day
);
COMMENT ON TABLE day_accrual IS 'Days that were over for hours and not closed: what was spent on them has been
added to the balances. Closing one takes that back, and adds what it bills. A day is counted when it is
either.';

CREATE TABLE crawler_accrual (
    site_id bigint NOT NULL,
    local_date date NOT NULL,
    crawler_id bigint NOT NULL REFERENCES crawler,
    amount_micros bigint NOT NULL CHECK (amount_micros >= 0),
    PRIMARY KEY (site_id, local_date, crawler_id),
    FOREIGN KEY (site_id, local_date) REFERENCES day_accrual
);

COMMENT ON TABLE crawler_accrual IS 'What each crawler spent on an accrued day.';

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['account_balance', 'day_accrual', 'crawler_accrual']) AS name;

-- What is counted ---------------------------------------------------------------------------------------

CREATE FUNCTION counted_day(of_site bigint) RETURNS SETOF day
    LANGUAGE sql STABLE AS $$
    SELECT d.* FROM day d
     WHERE d.site_id = of_site
       AND d.local_date = greatest((SELECT c.local_date FROM day_close c WHERE c.site_id = of_site
                                     ORDER BY c.local_date DESC LIMIT 1),
                                   (SELECT a.local_date FROM day_accrual a WHERE a.site_id = of_site
                                     ORDER BY a.local_date DESC LIMIT 1))
$$;
COMMENT ON FUNCTION counted_day IS 'The last day of a site whose spending is in the balances. Days are closed
and accrued in their order, so all before it are counted too.';

CREATE FUNCTION open_day(of_site bigint) RETURNS SETOF day
    LANGUAGE sql STABLE AS $$
    SELECT d.* FROM day d
     WHERE d.site_id = of_site
       AND d.local_date > coalesce((SELECT c.local_date FROM counted_day(of_site) c), '-infinity')
     ORDER BY d.local_date LIMIT 1
$$;
COMMENT ON FUNCTION open_day IS 'The first day of a site whose spending is not in the balances.';

-- Changes -----------------------------------------------------------------------------------------------

CREATE FUNCTION change_balances(site_ids bigint[], crawler_ids bigint[], changes bigint[])
    RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- One change of a site after the other: the next one waits for the commit, and then sees its rows.
    PERFORM FROM site WHERE site_id = ANY (site_ids) ORDER BY site_id FOR NO KEY UPDATE;
    WITH change AS (
        SELECT c.site_id, account.crawler_id, sum(c.micros)::bigint AS micros
          FROM unnest(site_ids, crawler_ids, changes) AS c (site_id, crawler_id, micros)
          JOIN crawler k USING (crawler_id)
          JOIN crawler account ON account.agent = crawler_account(k.agent)
         GROUP BY c.site_id, account.crawler_id
    ), place AS (
        SELECT s.site_id,
               1 + coalesce((SELECT b.step FROM account_balance b WHERE b.site_id = s.site_id
                              ORDER BY b.step DESC LIMIT 1), 0) AS step,
               coalesce((SELECT d.ends_at FROM counted_day(s.site_id) d), instant(0)) AS counted_to
          FROM (SELECT DISTINCT site_id FROM change) AS s
    )
    INSERT INTO account_balance (site_id, step, crawler_id, owed_micros, counted_to)
    SELECT p.site_id, p.step, c.crawler_id, c.micros + coalesce((
               SELECT b.owed_micros FROM account_balance b
                WHERE b.site_id = c.site_id AND b.crawler_id = c.crawler_id
                ORDER BY b.step DESC LIMIT 1), 0), p.counted_to
      FROM place p JOIN change c USING (site_id);
END
$$;
COMMENT ON FUNCTION change_balances IS 'Adds changes to the balances of crawlers'' present accounts, as the
next step of each site. Nothing where there are none.';

-- What stands in a day's accounts and invoices counts when the day is closed, all of it at once. What is
-- added to a closed day later counts by itself.

CREATE FUNCTION balance_day_close() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Before anything is added up: an accrual of the day is then either seen, or not made any more.
    PERFORM FROM site WHERE site_id IN (SELECT site_id FROM made) ORDER BY site_id FOR NO KEY UPDATE;
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT site_id, crawler_id, sum(micros)::bigint AS micros
               FROM (SELECT t.site_id, t.crawler_id, t.carried_out_micros - t.carried_in_micros AS micros
                       FROM made JOIN crawler_day t USING (site_id, local_date)
                     UNION ALL
                     SELECT i.site_id, i.crawler_id, CASE i.kind WHEN 'invoice' THEN 1 ELSE -1 END
                            * i.total_minor * minor_micros(i.currency_decimals)
                       FROM made JOIN invoice i USING (site_id, local_date)
                     UNION ALL
                     SELECT a.site_id, a.crawler_id, -a.amount_micros
                       FROM made JOIN crawler_accrual a USING (site_id, local_date)) AS part
              GROUP BY site_id, crawler_id) AS change;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION balance_day_close IS 'Trigger of day_close: adds what the day''s accounts and invoices
changed, and takes back what was accrued for it.';

CREATE FUNCTION balance_crawler_day() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT site_id, crawler_id, sum(m.carried_out_micros - m.carried_in_micros)::bigint AS micros
               FROM made m JOIN day_close c USING (site_id, local_date)
              GROUP BY site_id, crawler_id) AS change;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION balance_crawler_day IS 'Trigger of crawler_day: what is carried, in a day that is closed
already.';

CREATE FUNCTION balance_invoice() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT site_id, crawler_id, sum(CASE m.kind WHEN 'invoice' THEN 1 ELSE -1 END
                        * m.total_minor * minor_micros(m.currency_decimals))::bigint AS micros
               FROM made m JOIN day_close c USING (site_id, local_date)
              GROUP BY site_id, crawler_id) AS change;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION balance_invoice IS 'Trigger of invoice: invoices and credit notes of a day that is closed
already.';

CREATE FUNCTION balance_invoice_payment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT i.site_id, i.crawler_id,
                    -sum(m.amount_minor * minor_micros(i.currency_decimals))::bigint AS micros
               FROM made m JOIN invoice i USING (site_id, number)
              GROUP BY i.site_id, i.crawler_id) AS change;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION balance_invoice_payment IS 'Trigger of invoice_payment: what was paid is owed no more, and
what was paid back is.';

-- Accruals ----------------------------------------------------------------------------------------------

CREATE FUNCTION accrue_days(over_at_ms bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- A gate whose clock is ahead would accrue days that go on.
    over_at timestamptz := least(instant(over_at_ms), now() - interval '3 hours');
    oldest timestamptz;
    sites bigint[];
    dates date[];
    first_quarter bigint;
    end_quarter bigint;
BEGIN
    SELECT min(d.starts_at) INTO oldest FROM site s CROSS JOIN LATERAL open_day(s.site_id) d
     WHERE d.ends_at <= over_at;
    IF oldest IS NULL THEN
        RETURN 0;
    END IF;
    -- A site that a night is closing needs no accrual.
    sites := ARRAY(SELECT s.site_id FROM site s
                    WHERE EXISTS (SELECT FROM open_day(s.site_id) d WHERE d.ends_at <= over_at
                                     AND d.starts_at < oldest + interval '1 day')
                    ORDER BY s.site_id FOR NO KEY UPDATE SKIP LOCKED);
    -- Looked at again, now that nobody else can count a day of them.
    SELECT array_agg(d.site_id), array_agg(d.local_date), instant_ms(min(d.starts_at)) / quarter_ms(),
           instant_ms(max(d.ends_at)) / quarter_ms()
      INTO sites, dates, first_quarter, end_quarter
      FROM unnest(sites) AS s (site_id) CROSS JOIN LATERAL open_day(s.site_id) d
     WHERE d.ends_at <= over_at AND d.starts_at < oldest + interval '1 day';
    INSERT INTO day_accrual (site_id, local_date, accrued_at)
    SELECT site_id, local_date, over_at FROM unnest(sites, dates) AS d (site_id, local_date);
    -- One pass over the spending of all sites on that date.
    INSERT INTO crawler_accrual (site_id, local_date, crawler_id, amount_micros)
    SELECT d.site_id, d.local_date, s.crawler_id, sum(s.amount_micros)::bigint
      FROM unnest(sites, dates) AS due (site_id, local_date)
      JOIN day d USING (site_id, local_date)
      JOIN spend s ON s.site_id = d.site_id AND s.quarter >= instant_ms(d.starts_at) / quarter_ms()
       AND s.quarter < instant_ms(d.ends_at) / quarter_ms()
     WHERE s.quarter >= first_quarter AND s.quarter < end_quarter
     GROUP BY d.site_id, d.local_date, s.crawler_id;
    PERFORM change_balances(array_agg(a.site_id), array_agg(a.crawler_id), array_agg(a.amount_micros))
       FROM unnest(sites, dates) AS due (site_id, local_date)
       JOIN crawler_accrual a USING (site_id, local_date);
    RETURN coalesce(cardinality(sites), 0);
END
$$;
COMMENT ON FUNCTION accrue_days IS 'Accrues the oldest days that were over at an instant and are neither
closed nor accrued, one of a site at most, those of about one date in a call; returns how many. Called again
until there is none. The instant must be so long ago that no entry of a day that was over then can arrive any
more.';

-- Agreements --------------------------------------------------------------------------------------------

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
COMMENT ON TABLE number_series IS 'Counters without gaps: a number is taken in the transaction that uses it,
so that a rollback gives it back, as a sequence would not. Series "day" counts closed days; its row is the
lock that keeps two nightly jobs apart. Series "agreement" counts versions of agreements, by which gates see
that there is a new one. Series such as "INV-2026" number invoices.';

-- What is there already ---------------------------------------------------------------------------------

INSERT INTO number_series (site_id, series, last_number)
SELECT site_id, 'agreement', count(*) FROM agreement GROUP BY site_id;

INSERT INTO account_balance (site_id, step, crawler_id, owed_micros, counted_to)
SELECT site_id, 1, account.crawler_id, sum(micros)::bigint,
       coalesce((SELECT d.ends_at FROM counted_day(part.site_id) d), instant(0))
  FROM (SELECT * FROM (SELECT DISTINCT ON (site_id, crawler_id) site_id, crawler_id,
                              carried_out_micros AS micros
                         FROM crawler_day ORDER BY site_id, crawler_id, close_number DESC) AS carried
        UNION ALL
        SELECT site_id, crawler_id, CASE kind WHEN 'invoice' THEN 1 ELSE -1 END
               * total_minor * minor_micros(currency_decimals) FROM invoice
        UNION ALL
        SELECT i.site_id, i.crawler_id, -p.amount_minor * minor_micros(i.currency_decimals)
          FROM invoice_payment p JOIN invoice i USING (site_id, number)) AS part
  JOIN crawler k USING (crawler_id)
  JOIN crawler account ON account.agent = crawler_account(k.agent)
 GROUP BY site_id, account.crawler_id;

DO $$
DECLARE
    gate text := current_setting('crawltab.gate_role');
    night text := current_setting('crawltab.operator_role');
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['day_close', 'crawler_day', 'invoice', 'invoice_payment'] LOOP
        EXECUTE format('CREATE TRIGGER balance AFTER INSERT ON %I REFERENCING NEW TABLE AS made'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, 'balance_' || target);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER balance', target);
        EXECUTE format('REVOKE ALL ON FUNCTION %I FROM PUBLIC', 'balance_' || target);
    END LOOP;
    CREATE TRIGGER counted AFTER INSERT ON agreement REFERENCING NEW TABLE AS made
        FOR EACH STATEMENT EXECUTE FUNCTION count_agreements();
    ALTER TABLE agreement ENABLE ALWAYS TRIGGER counted;
    REVOKE ALL ON FUNCTION change_balances, count_agreements, accrue_days FROM PUBLIC;
    EXECUTE format('GRANT SELECT ON account_balance, day_accrual, number_series TO %I', gate);
    EXECUTE format('GRANT EXECUTE ON FUNCTION accrue_days TO %I', gate);
    EXECUTE format('GRANT SELECT ON account_balance, day_accrual, crawler_accrual TO %I', night);
    -- Three hours: as gates do it, see ledger/credit.
    WHILE accrue_days(instant_ms(now() - interval '3 hours')) > 0 LOOP
    END LOOP;
END
$$;
