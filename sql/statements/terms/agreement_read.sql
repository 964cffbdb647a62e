-- All versions of site $1 and crawler $2, the oldest first, with the terms as ledger/terms/terms.h stores
-- them, and times in the zone that the site was given last.
-- columns: agreement_id bigint, version integer, valid_from_ms bigint, recorded_ms bigint,
--   valid_from text, recorded_at text, actor text, reason text, terms jsonb
SELECT a.agreement_id, a.version, instant_ms(a.valid_from) AS valid_from_ms,
       instant_ms(a.recorded_at) AS recorded_ms,
       to_char(a.valid_from AT TIME ZONE zone.name, 'YYYY-MM-DD HH24:MI') AS valid_from,
       to_char(a.recorded_at AT TIME ZONE zone.name, 'YYYY-MM-DD HH24:MI') AS recorded_at, a.actor, a.reason,
       jsonb_build_object(
           'status', a.status, 'cadence', a.cadence, 'subscription', a.subscription,
           'fee_micros', a.fee_micros, 'fee_proration', a.fee_proration,
           'included_crawls', a.included_crawls,
           'minimum_fee_micros', a.minimum_fee_micros, 'minimum_invoice_micros', a.minimum_invoice_micros,
           'due_days', a.due_days,
           'limits', jsonb_build_object('day_micros', a.day_limit_micros,
                                        'balance_micros', a.balance_limit_micros),
           'disputes', jsonb_build_object('window_days', a.dispute_window_days,
                                          'answer_days', a.dispute_answer_days,
                                          'share_ppm', a.dispute_share_ppm,
                                          'limit_micros', a.dispute_limit_micros),
           'tax', jsonb_build_object('treatment', a.tax_treatment, 'rate_ppm', a.tax_rate_ppm),
           'buyer', a.buyer, 'settlement', a.settlement,
           'prices', coalesce((SELECT jsonb_agg(jsonb_build_object('rule', p.rule, 'paths', p.paths,
                                                                   'price_micros', p.price_micros)
                                                ORDER BY p.position)
                                 FROM agreement_price p WHERE p.agreement_id = a.agreement_id), '[]'),
           'tiers', coalesce((SELECT jsonb_agg(jsonb_build_object('from_crawl', t.from_crawl,
                                                                  'discount_ppm', t.discount_ppm)
                                               ORDER BY t.from_crawl)
                                FROM agreement_tier t WHERE t.agreement_id = a.agreement_id), '[]')) AS terms
  FROM agreement a JOIN site s USING (site_id)
 CROSS JOIN LATERAL (
     SELECT coalesce((SELECT z.time_zone FROM site_zone z WHERE z.site_id = s.site_id
                       ORDER BY z.version DESC LIMIT 1), s.time_zone) AS name) AS zone
 WHERE a.site_id = $1::bigint AND a.crawler_id = $2::bigint
 ORDER BY a.version
