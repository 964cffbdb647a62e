-- Takes back what was paid for pages of day $2 of site $1 that were not delivered, or above their final
-- amount, when its lines are made
-- and before anything is billed; $3 does it.
INSERT INTO adjustment (adjustment_id, site_id, crawler_id, kind, payment_id, amount_micros, reason, actor,
                        recorded_at)
SELECT undelivered_adjustment($1::bigint, b.payment_id), $1::bigint, b.crawler_id, 'reversal', b.payment_id,
       b.amount_micros, CASE WHEN u.final_micros IS NULL THEN 'not delivered: ' || u.sent_bytes
               || coalesce(' of ' || u.length_bytes, '') || ' bytes'
           ELSE 'final amount ' || micros_text(u.final_micros) || ' of ' || micros_text(c.amount_micros) END
           || ', as the ' || u.told_by || ' tells',
       $3::text, uuid_instant(undelivered_adjustment($1::bigint, b.payment_id))
  FROM billing_undelivered($1::bigint, $2::date) b JOIN undelivered u USING (payment_id)
 CROSS JOIN billing_day($1::bigint, $2::date) y
  JOIN LATERAL charge_range(y.first_id, y.end_id) c ON c.payment_id = b.payment_id
