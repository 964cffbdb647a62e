-- The next page of what is billed to crawler $2 at site $1: entries from id $3 (or after it, when $4) to
-- before $5, of a day with agreement $6 (0: none), before which $7 crawls of the period cost something; and
-- what the terms take off each, as billing_discounts does.
-- columns: payment_id uuid, offered_ms bigint, resource text, rule text, price_micros bigint, crawl bigint,
--   discount_kind text, discount_micros bigint, detail text, offer_version integer, repeats uuid null,
--   signature_base bytea, taken_micros bigint, delivered text null
WITH page AS (
    SELECT c.payment_id, c.crawler_id, c.resource, c.rule, c.amount_micros AS price_micros, c.agreement_id,
           c.signature_base
      FROM billable_range($3::uuid, $5::uuid) c
     WHERE c.site_id = $1::bigint AND c.crawler_id = $2::bigint
       AND (NOT $4::boolean OR c.payment_id > $3::uuid)
     ORDER BY c.payment_id LIMIT 4000
), numbered AS (
    SELECT p.*, $7::bigint + count(*) FILTER (WHERE p.price_micros > 0) OVER (ORDER BY p.payment_id) AS crawl
      FROM page p
), discounted AS (
    SELECT n.*, d.kind, d.ppm, d.from_crawl, share_of(n.price_micros, d.ppm) AS discount_micros
      FROM numbered n
      LEFT JOIN agreement a ON a.agreement_id = nullif($6::bigint, 0)
     CROSS JOIN LATERAL (
          SELECT t.from_crawl, t.discount_ppm FROM (SELECT 1) AS one LEFT JOIN agreement_tier t
              ON t.agreement_id = a.agreement_id AND t.from_crawl <= n.crawl - a.included_crawls
           ORDER BY t.from_crawl DESC NULLS LAST LIMIT 1) AS tier
     CROSS JOIN LATERAL (
          SELECT CASE WHEN a.subscription THEN 'subscription'
                      WHEN n.crawl <= a.included_crawls THEN 'included'
                      WHEN tier.from_crawl IS NOT NULL THEN 'tier' ELSE '' END AS kind,
                 CASE WHEN a.subscription OR n.crawl <= a.included_crawls THEN 1000000
                      ELSE coalesce(tier.discount_ppm, 0) END AS ppm, tier.from_crawl) AS d
)
SELECT d.payment_id, instant_ms(uuid_instant(d.payment_id)) AS offered_ms, d.resource, d.rule, d.price_micros,
       d.crawl, CASE WHEN d.discount_micros > 0 THEN d.kind ELSE '' END AS discount_kind, d.discount_micros,
       CASE WHEN d.kind = 'tier' AND d.discount_micros > 0
            THEN rate_text(d.ppm) || ' off from crawl ' || d.from_crawl || ' at '
                 || micros_text(d.price_micros)
            ELSE '' END AS detail,
       coalesce(a.version, 0) AS offer_version, w.repeats, d.signature_base,
       coalesce((SELECT sum(j.amount_micros)::bigint FROM adjustment j WHERE j.payment_id = d.payment_id), 0)
           AS taken_micros,
       (SELECT v.ended FROM delivery v WHERE v.payment_id = d.payment_id
            AND v.payment_id >= $3::uuid AND v.payment_id < $5::uuid ORDER BY v.repeated DESC LIMIT 1)
           AS delivered
  FROM discounted d LEFT JOIN agreement a ON a.agreement_id = d.agreement_id
  LEFT JOIN page_copy w ON w.payment_id = d.payment_id AND w.crawler_id = d.crawler_id AND d.price_micros = 0
   AND w.payment_id >= $3::uuid AND w.payment_id < $5::uuid
 ORDER BY d.payment_id
