-- The rows that speak of the entry $1 and of its invoice $2, byte for byte what their facts are made of
-- (ledger/proof/leaf.h), and the day that has sealed each; after session_plain. Of the directories' answers
-- the one that the entry relied on.
-- columns: source text, key text, line text, hash bytea, site_id bigint null, local_date date null
WITH entry AS (
    SELECT * FROM charge_of($1::uuid)
), relied AS (
    SELECT k.* FROM entry e JOIN crawler_key_source k USING (crawler_id, thumbprint)
     ORDER BY (k.first_relied_at <= e.recorded_at) DESC,
              greatest(k.first_relied_at - e.recorded_at, e.recorded_at - k.first_relied_at) LIMIT 1
), row_of (source, line) AS (
    SELECT 'site', to_jsonb(s) FROM entry JOIN site s USING (site_id)
    UNION ALL
    SELECT 'crawler', to_jsonb(c) FROM entry JOIN crawler c USING (crawler_id)
    UNION ALL
    SELECT 'crawler_key', to_jsonb(k) FROM entry JOIN crawler_key k USING (crawler_id, thumbprint)
    UNION ALL
    SELECT 'crawler_key_source', to_jsonb(r) FROM relied r
    UNION ALL
    SELECT 'directory_snapshot', to_jsonb(d) FROM relied JOIN directory_snapshot d USING (url, body_digest)
    UNION ALL
    SELECT 'unproven', to_jsonb(u) FROM entry JOIN unproven u USING (payment_id)
    UNION ALL
    SELECT 'undelivered', to_jsonb(u) FROM entry JOIN undelivered u USING (payment_id)
    UNION ALL
    SELECT 'day_delivery', to_jsonb(y)
      FROM entry e JOIN day d ON d.site_id = e.site_id AND d.starts_at <= uuid_instant(e.payment_id)
       AND d.ends_at > uuid_instant(e.payment_id)
      JOIN day_delivery y ON y.site_id = d.site_id AND y.local_date = d.local_date
     WHERE EXISTS (SELECT FROM delivery_of(e.payment_id))
    UNION ALL
    SELECT 'adjustment', to_jsonb(a) FROM entry e JOIN adjustment a USING (payment_id)
    UNION ALL
    SELECT 'invoice', to_jsonb(i) FROM entry JOIN invoice i USING (site_id) WHERE i.number = $2::text
    UNION ALL
    SELECT 'invoice_line', to_jsonb(l)
      FROM entry e JOIN invoice_line l USING (site_id)
     WHERE l.number = $2::text AND l.kind = 'crawls' AND l.description = e.rule
       AND l.unit_price_micros = e.amount_micros
), keyed AS (
    SELECT source, fact_key(source, line) AS key, line FROM row_of
)
SELECT k.source, k.key,
       (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(k.line) c WHERE c.value <> 'null')::text
           AS line,
       fact_digest(k.source, k.key, k.line) AS hash, d.site_id, d.local_date
  FROM keyed k LEFT JOIN day_fact d ON d.source = k.source AND d.key = k.key
 ORDER BY k.source COLLATE "C", k.key COLLATE "C"
