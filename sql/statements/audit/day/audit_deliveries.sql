-- Day $2 of site $1, closed: deliveries that are not what was sealed. Their texts are those of session_plain.
-- columns of audit_finding: subject text, problem text
WITH item AS (
    SELECT encode(substr(t.deliveries, 48 * n + 1, 16), 'hex')::uuid AS payment_id,
           substr(t.deliveries, 48 * n + 17, 32) AS digest
      FROM billing_day($1::bigint, $2::date) b
      JOIN delivery_tile t ON t.site_id = $1::bigint AND t.first_id >= b.first_id AND t.first_id < b.end_id
     CROSS JOIN generate_series(0, octet_length(t.deliveries) / 48 - 1) AS n
), present AS (
    SELECT d.payment_id, delivery_digest(to_jsonb(d)) AS digest
      FROM billing_day($1::bigint, $2::date) b
      JOIN delivery d ON d.site_id = $1::bigint AND d.payment_id >= b.first_id AND d.payment_id < b.end_id
), differing AS (
    SELECT coalesce(i.payment_id, p.payment_id) AS payment_id, i.digest IS NOT NULL AS sealed,
           p.digest IS NOT NULL AS there
      FROM item i FULL JOIN present p ON p.payment_id = i.payment_id AND p.digest = i.digest
     WHERE i.digest IS NULL OR p.digest IS NULL
)
SELECT 'delivery ' || payment_id AS subject,
       CASE WHEN bool_or(sealed) AND bool_or(there) THEN 'was changed after its day was closed'
            WHEN bool_or(sealed) THEN 'was removed after its day was closed'
            ELSE 'was added after its day was closed' END AS problem
  FROM differing GROUP BY payment_id
UNION ALL
SELECT 'delivery_tile ' || t.first_id, 'says to be of ' || t.local_date || ', its ids are of ' || $2::text
  FROM billing_day($1::bigint, $2::date) b
  JOIN delivery_tile t ON t.site_id = $1::bigint AND t.first_id >= b.first_id AND t.first_id < b.end_id
 WHERE t.local_date <> $2::date
UNION ALL
SELECT 'delivery ' || d.payment_id, 'is of no entry of the site'
  FROM billing_day($1::bigint, $2::date) b
  JOIN delivery d ON d.site_id = $1::bigint AND d.payment_id >= b.first_id AND d.payment_id < b.end_id
  LEFT JOIN LATERAL charge_range(b.first_id, b.end_id) c
    ON c.site_id = d.site_id AND c.payment_id = d.payment_id
 WHERE c.payment_id IS NULL
 ORDER BY 1 LIMIT 1000
