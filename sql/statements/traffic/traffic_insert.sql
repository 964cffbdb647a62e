-- One batch, $1, of what was counted: once, however often it is sent.
INSERT INTO traffic (batch, site_id, period, crawler, verified, rule, outcome, reason, requests, bytes,
                     amount_micros, pages)
SELECT $1::uuid, s.site_id, instant(c.period_ms), c.crawler, c.verified = 1, c.rule, c.outcome, c.reason,
       c.requests, c.bytes, c.amount_micros, ('x' || encode(c.pages, 'hex'))::bit(3072)
  FROM unnest($2::text[], $3::bigint[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
              $9::bigint[], $10::bigint[], $11::bigint[], $12::bytea[])
       AS c (site, period_ms, crawler, verified, rule, outcome, reason, requests, bytes, amount_micros, pages)
  JOIN site s ON s.name = c.site
 WHERE NOT EXISTS (SELECT FROM traffic WHERE batch = $1::uuid)
