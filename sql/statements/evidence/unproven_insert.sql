-- Entries of site $1 that are not proven.
INSERT INTO unproven (payment_id, site_id, crawler_id, amount_micros, reason)
SELECT u.payment_id, $1::bigint, u.crawler_id, u.amount_micros, u.reason
  FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::text[])
       AS u (payment_id, crawler_id, amount_micros, reason)
