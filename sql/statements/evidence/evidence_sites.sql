-- All sites, and under which terms each has made offers; the terms used last first. $1: at most so many of a
-- site.
-- columns: site_id bigint, name text, network text, currency text, terms_url text null,
--   ttl_seconds integer
SELECT s.site_id, s.name, s.network, s.currency, t.terms_url, t.ttl_seconds
  FROM site s
  LEFT JOIN LATERAL (SELECT o.terms_url, o.ttl_seconds FROM offer_terms o WHERE o.site_id = s.site_id
                      ORDER BY o.first_used_at DESC, o.terms_url, o.ttl_seconds LIMIT $1::bigint) AS t ON true
 ORDER BY s.site_id
