-- How many crawls dispute $1 is about, how many are upheld, and of how many of these a person gave back a
-- part alone.
-- columns: crawls bigint, findings bigint, parts bigint, upheld_micros bigint
SELECT (SELECT coalesce(sum(CASE WHEN s.payment_id IS NOT NULL THEN 1 ELSE l.quantity END), 0)::bigint
          FROM dispute_subject s LEFT JOIN invoice_line l
            ON l.site_id = s.site_id AND l.number = s.number AND l.line = s.line
         WHERE s.dispute_id = $1::uuid) AS crawls,
       count(f.payment_id) AS findings,
       count(*) FILTER (WHERE a.kind = 'refund' AND f.rule = 'person') AS parts,
       coalesce(sum(f.amount_micros), 0)::bigint AS upheld_micros
  FROM dispute_finding f LEFT JOIN adjustment a USING (adjustment_id) WHERE f.dispute_id = $1::uuid
