-- An account is the URL of a crawler's keys without its query, of which anybody can make as many as he
-- likes; and the origin alone where the path is the well-known one. Accounts of before keep their entries and
-- invoices; what comes in now is their present account's, to which their agreements go over.

CREATE FUNCTION crawler_account(agent text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN regexp_replace(split_part(agent, '?', 1),
                          '^([a-z]+://[^/]+)(/|/\.well-known/http-message-signatures-directory)$', '\1');
COMMENT ON FUNCTION crawler_account IS 'The account that a crawler''s URL has, as agent_account in
ledger/base/http/agent.c: another one than its own name for accounts of before.';

DO $$
DECLARE
    made_at timestamptz := clock_timestamp();
    gone record;
    terms agreement;
    copied bigint;
    latest integer;
BEGIN
    INSERT INTO crawler (agent, first_seen_at)
    SELECT crawler_account(agent), min(first_seen_at)
      FROM crawler WHERE agent <> crawler_account(agent)
     GROUP BY crawler_account(agent)
    ON CONFLICT DO NOTHING;

    -- Of several accounts that become one, the agreement that was recorded last; suspended if any of them is.
    -- An agreement that the present account has of its own stays.
    FOR gone IN
        SELECT DISTINCT ON (a.site_id, present.crawler_id) a.site_id, a.crawler_id, k.agent,
               present.crawler_id AS present_id,
               bool_or(in_force.suspended) OVER (PARTITION BY a.site_id, present.crawler_id) AS suspended
          FROM agreement a
          JOIN crawler k USING (crawler_id)
          JOIN crawler present ON present.agent = crawler_account(k.agent)
         CROSS JOIN LATERAL (
             SELECT coalesce((SELECT n.status = 'suspended' FROM agreement n
                               WHERE n.site_id = a.site_id AND n.crawler_id = a.crawler_id
                                 AND n.valid_from <= made_at
                               ORDER BY n.version DESC LIMIT 1), false) AS suspended) AS in_force
         WHERE k.agent <> present.agent
           AND NOT EXISTS (SELECT FROM agreement own
                            WHERE own.site_id = a.site_id AND own.crawler_id = present.crawler_id)
         ORDER BY a.site_id, present.crawler_id, a.recorded_at DESC, a.agreement_id DESC
    LOOP
        latest := 0;
        -- What is in force, and what comes into force later.
        FOR terms IN
            SELECT * FROM agreement a
             WHERE a.site_id = gone.site_id AND a.crawler_id = gone.crawler_id
               AND NOT EXISTS (SELECT FROM agreement n
                                WHERE n.site_id = a.site_id AND n.crawler_id = a.crawler_id
                                  AND n.version > a.version AND n.valid_from <= made_at)
             ORDER BY a.version
        LOOP
            copied := terms.agreement_id;
            latest := latest + 1;
            terms.agreement_id := nextval(pg_get_serial_sequence('agreement', 'agreement_id'));
            terms.crawler_id := gone.present_id;
            terms.version := latest;
            terms.recorded_at := made_at;
            terms.actor := 'crawltab migrate as ' || session_user;
            terms.reason := format('the agreement with %s, whose account this is now', gone.agent);
            terms.status := CASE WHEN gone.suspended THEN 'suspended' ELSE terms.status END;
            INSERT INTO agreement OVERRIDING SYSTEM VALUE VALUES (terms.*);
            INSERT INTO agreement_price
            SELECT terms.agreement_id, position, rule, paths, price_micros
              FROM agreement_price WHERE agreement_id = copied;
            INSERT INTO agreement_tier
            SELECT terms.agreement_id, from_crawl, discount_ppm
              FROM agreement_tier WHERE agreement_id = copied;
        END LOOP;
    END LOOP;

    -- Nobody pays as one of them any more: their fees end, or they would be charged beside those of the
    -- present account.
    FOR terms IN
        SELECT DISTINCT ON (a.site_id, a.crawler_id) a.*
          FROM agreement a JOIN crawler k USING (crawler_id)
         WHERE k.agent <> crawler_account(k.agent)
         ORDER BY a.site_id, a.crawler_id, a.version DESC
    LOOP
        CONTINUE WHEN NOT EXISTS (
            SELECT FROM agreement a
             WHERE a.site_id = terms.site_id AND a.crawler_id = terms.crawler_id
               AND (a.fee_micros > 0 OR a.minimum_fee_micros > 0));
        copied := terms.agreement_id;
        terms.agreement_id := nextval(pg_get_serial_sequence('agreement', 'agreement_id'));
        terms.version := terms.version + 1;
        terms.valid_from := made_at;
        terms.recorded_at := made_at;
        terms.actor := 'crawltab migrate as ' || session_user;
        terms.reason := 'the account is another one now, without its query';
        terms.fee_micros := 0;
        terms.minimum_fee_micros := 0;
        INSERT INTO agreement OVERRIDING SYSTEM VALUE VALUES (terms.*);
        INSERT INTO agreement_price
        SELECT terms.agreement_id, position, rule, paths, price_micros
          FROM agreement_price WHERE agreement_id = copied;
        INSERT INTO agreement_tier
        SELECT terms.agreement_id, from_crawl, discount_ppm
          FROM agreement_tier WHERE agreement_id = copied;
    END LOOP;
END
$$;
