-- The money that came in for invoices and how it is collected, and where each account stands.

CREATE TABLE invoice_payment (
    site_id bigint NOT NULL,
    number text NOT NULL,
    reference text NOT NULL CHECK (reference <> ''),
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    received_on date NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    identity text CHECK (identity <> ''),
    PRIMARY KEY (site_id, number, reference),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);
COMMENT ON TABLE invoice_payment IS 'Money received for an invoice, once per reference and once per movement.
Below zero: paid back, or a debit that bounced.';
COMMENT ON COLUMN invoice_payment.identity IS 'What names the movement in every file that has it: a digest of
its content and of its number among those of its statement that say the same. A bank''s reference may be no
name: "NONREF", or a number that starts anew with each statement. NULL: told by a person, or by a version that
knew only references.';
CREATE UNIQUE INDEX invoice_payment_identity ON invoice_payment (site_id, number, identity);

CREATE TABLE applied_credit (
    site_id bigint NOT NULL,
    number text NOT NULL,
    from_number text NOT NULL,
    step integer NOT NULL CHECK (step > 0),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    applied_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    PRIMARY KEY (site_id, number, from_number, step),
    FOREIGN KEY (site_id, number) REFERENCES invoice,
    FOREIGN KEY (site_id, from_number) REFERENCES invoice,
    CHECK (number <> from_number)
);
COMMENT ON TABLE applied_credit IS 'What was paid too much for invoice from_number, or taken back of it
after it was paid, and has paid another invoice of the same crawler instead. No money moves: what a crawler
owes in sum stays the same.';
COMMENT ON COLUMN applied_credit.step IS 'Counts how often the one has paid the other.';
CREATE INDEX applied_credit_from ON applied_credit (site_id, from_number);

CREATE TABLE settlement_batch (
    batch_id uuid PRIMARY KEY,
    site_id bigint NOT NULL REFERENCES site,
    rail text NOT NULL CHECK (rail IN ('sepa-direct-debit', 'ach', 'x402', 'card')),
    currency text NOT NULL,
    invoices bigint NOT NULL CHECK (invoices > 0),
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    made_at timestamptz NOT NULL,
    collect_on date NOT NULL,
    actor text NOT NULL,
    content bytea NOT NULL,
    digest bytea NOT NULL,
    file_of_day integer CHECK (file_of_day >= 0),
    CHECK (digest = sha256(content))
);
COMMENT ON TABLE settlement_batch IS 'One file, or call, that collects money for some invoices.';
COMMENT ON COLUMN settlement_batch.content IS 'The file, byte for byte: it can be written again, and is never
made again with other bytes.';
COMMENT ON COLUMN settlement_batch.file_of_day IS 'How many batches of the rail were made before it on the
same day (UTC), for whatever site: what tells files of a day apart in ACH. NULL: made by a version that called
them all the same.';
CREATE UNIQUE INDEX settlement_batch_day
    ON settlement_batch (((made_at AT TIME ZONE 'UTC')::date), file_of_day) WHERE rail = 'ach';

CREATE TABLE settlement (
    site_id bigint NOT NULL,
    number text NOT NULL,
    rail text NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    batch_id uuid NOT NULL REFERENCES settlement_batch,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (site_id, number, rail, attempt),
    FOREIGN KEY (site_id, number) REFERENCES invoice
);
COMMENT ON TABLE settlement IS 'An invoice in a batch. The key is what makes collecting twice impossible: a
second attempt is made only when somebody says that the first one failed.';

CREATE TABLE account_balance (
    site_id bigint NOT NULL REFERENCES site,
    step bigint NOT NULL CHECK (step > 0),
    crawler_id bigint NOT NULL REFERENCES crawler,
    owed_micros bigint NOT NULL,
    counted_to timestamptz NOT NULL,
    PRIMARY KEY (site_id, step, crawler_id)
);
COMMENT ON TABLE account_balance IS 'What a crawler owes a site after each change: carried forward from closed
days, invoices less credit notes and payments, and what was spent on accrued days that are not closed; under
its present account also what accounts of before owe (crawler_account). The newest row is where it stands.
Written by triggers of the tables that it is made of, and by accrue_days.';
COMMENT ON COLUMN account_balance.step IS 'Changes of the site in the order of their commits: whoever has read
up to a step has missed nothing below it.';
COMMENT ON COLUMN account_balance.owed_micros IS 'Below zero: the crawler has it to its credit.';
COMMENT ON COLUMN account_balance.counted_to IS 'What was spent before this instant is in it, and nothing of
what was spent later.';
CREATE INDEX account_balance_last ON account_balance (site_id, crawler_id, step);

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

CREATE VIEW invoice_state AS
SELECT i.site_id, i.number, e.at AS status_at,
       coalesce(p.paid_minor, 0) AS paid_minor, coalesce(c.credited_minor, 0) AS credited_minor,
       CASE i.kind WHEN 'invoice'
            THEN i.total_minor - coalesce(p.paid_minor, 0) - coalesce(c.credited_minor, 0) - a.applied_minor
            ELSE 0 END AS open_minor,
       CASE WHEN e.void THEN 'void'
            WHEN i.kind = 'credit-note' THEN CASE WHEN e.sent THEN 'sent' ELSE 'issued' END
            WHEN coalesce(c.credited_minor, 0) >= i.total_minor THEN 'credited'
            WHEN coalesce(p.paid_minor, 0) + coalesce(c.credited_minor, 0) + a.applied_minor >= i.total_minor
            THEN 'paid'
            WHEN p.paid_minor > 0 OR a.applied_minor > 0 THEN 'part-paid'
            WHEN e.sent THEN 'sent' ELSE 'issued' END AS status,
       a.applied_minor
  FROM invoice i
  JOIN LATERAL (SELECT max(happened_at) AS at, bool_or(event = 'void') AS void,
                       bool_or(event = 'sent') AS sent
                  FROM invoice_event WHERE site_id = i.site_id AND number = i.number) AS e ON true
  LEFT JOIN LATERAL (SELECT sum(amount_minor)::bigint AS paid_minor FROM invoice_payment
                      WHERE site_id = i.site_id AND number = i.number) AS p ON true
  LEFT JOIN LATERAL (SELECT sum(total_minor)::bigint AS credited_minor FROM invoice
                      WHERE site_id = i.site_id AND corrects = i.number) AS c ON true
 CROSS JOIN LATERAL (SELECT (coalesce((SELECT sum(amount_minor) FROM applied_credit
                                        WHERE site_id = i.site_id AND number = i.number), 0)
                             - coalesce((SELECT sum(amount_minor) FROM applied_credit
                                          WHERE site_id = i.site_id AND from_number = i.number), 0))::bigint
                            AS applied_minor) AS a;
COMMENT ON VIEW invoice_state IS 'What events, payments, credit notes and other invoices'' credit have made
of an invoice. That an open one is overdue depends on the clock. applied_minor: what other invoices have
paid of it, less what it has paid of others.';

CREATE FUNCTION crawler_account(agent text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(split_part(agent, '?', 1),
                          '^([a-z]+://[^/]+)(/|/\.well-known/http-message-signatures-directory)$', '\1');
COMMENT ON FUNCTION crawler_account IS 'The account that a crawler''s URL has, as agent_account in
ledger/base/http/agent.c: another one than its own name for accounts of before.';

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

SELECT make_append_only(name::regclass)
  FROM unnest(ARRAY['invoice_payment', 'applied_credit', 'settlement_batch', 'settlement',
                    'account_balance', 'day_accrual', 'crawler_accrual']) AS name;

DO $$
DECLARE
    target text;
BEGIN
    FOREACH target IN ARRAY ARRAY['day_close', 'crawler_day', 'invoice', 'invoice_payment'] LOOP
        EXECUTE format('CREATE TRIGGER balance AFTER INSERT ON %I REFERENCING NEW TABLE AS made'
                       ' FOR EACH STATEMENT EXECUTE FUNCTION %I()', target, 'balance_' || target);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER balance', target);
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION accrue_days, balance_crawler_day, balance_day_close, balance_invoice,
    balance_invoice_payment, change_balances FROM PUBLIC;
