-- Version $3 of site $1 and crawler $2 with its prices and tiers, and the operator's action. $8 are the
-- terms as ledger/terms/terms.h stores them. No row comes back when somebody has recorded this version
-- meanwhile.
-- columns: agreement_id bigint
WITH given AS (
    SELECT $8::jsonb AS terms
), fresh AS (
    INSERT INTO agreement (site_id, crawler_id, version, valid_from, recorded_at, actor, reason, status,
                           day_limit_micros, balance_limit_micros, cadence, subscription, fee_micros,
                           included_crawls, minimum_fee_micros, minimum_invoice_micros, tax_treatment,
                           tax_rate_ppm, due_days, buyer, settlement, fee_proration, dispute_window_days,
                           dispute_answer_days, dispute_share_ppm, dispute_limit_micros)
    SELECT $1::bigint, $2::bigint, $3::integer, instant($4::bigint), instant($5::bigint),
           $6::text || ' as ' || session_user, $7::text, terms ->> 'status',
           (terms -> 'limits' ->> 'day_micros')::bigint, (terms -> 'limits' ->> 'balance_micros')::bigint,
           terms ->> 'cadence', (terms ->> 'subscription')::boolean, (terms ->> 'fee_micros')::bigint,
           (terms ->> 'included_crawls')::bigint, (terms ->> 'minimum_fee_micros')::bigint,
           (terms ->> 'minimum_invoice_micros')::bigint, terms -> 'tax' ->> 'treatment',
           (terms -> 'tax' ->> 'rate_ppm')::integer, (terms ->> 'due_days')::integer,
           coalesce(terms -> 'buyer', '{}'), coalesce(terms -> 'settlement', '{}'),
           terms ->> 'fee_proration', (terms -> 'disputes' ->> 'window_days')::integer,
           (terms -> 'disputes' ->> 'answer_days')::integer, (terms -> 'disputes' ->> 'share_ppm')::integer,
           (terms -> 'disputes' ->> 'limit_micros')::bigint
      FROM given
    ON CONFLICT (site_id, crawler_id, version) DO NOTHING
    RETURNING agreement_id, version
), price AS (
    INSERT INTO agreement_price (agreement_id, position, rule, paths, price_micros)
    SELECT agreement_id, at, item ->> 'rule',
           (SELECT array_agg(path ORDER BY n)
              FROM jsonb_array_elements_text(item -> 'paths') WITH ORDINALITY AS p (path, n)),
           (item ->> 'price_micros')::bigint
      FROM fresh, given, jsonb_array_elements(terms -> 'prices') WITH ORDINALITY AS prices (item, at)
), tier AS (
    INSERT INTO agreement_tier (agreement_id, from_crawl, discount_ppm)
    SELECT agreement_id, (item ->> 'from_crawl')::bigint, (item ->> 'discount_ppm')::integer
      FROM fresh, given, jsonb_array_elements(terms -> 'tiers') AS item
), action AS (
    INSERT INTO operator_action (happened_at, actor, action, detail)
    SELECT instant($5::bigint), $6::text || ' as ' || session_user, 'agreement',
           format('version %s of site "%s" and %s: %s', fresh.version, s.name, c.agent, $7::text)
      FROM fresh, site s, crawler c
     WHERE s.site_id = $1::bigint AND c.crawler_id = $2::bigint
)
SELECT agreement_id FROM fresh
