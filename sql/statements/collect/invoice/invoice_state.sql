-- What has become of an invoice; what can still be taken back of it, whose own lines say what was taken back
-- before it was made; whether it was sent; of a void one, what that took back and whether it is billed again.
-- columns: status text, currency text, currency_decimals smallint, open_minor bigint, paid_minor bigint,
--   left_micros bigint, crawler_id bigint, sent boolean, total_minor bigint, applied_minor bigint,
--   void_micros bigint null, reissued boolean
SELECT s.status, i.currency, i.currency_decimals, s.open_minor, s.paid_minor,
       i.net_micros - coalesce((
           SELECT sum(a.amount_micros)::bigint FROM adjustment a
            WHERE a.site_id = i.site_id AND a.crawler_id = i.crawler_id AND a.kind <> 'reissue'
              AND coalesce(a.number, billing_invoice(a.site_id, a.crawler_id, a.payment_id,
                                                     9223372036854775807)) = i.number
              AND NOT EXISTS (SELECT FROM invoice_line l WHERE l.site_id = i.site_id
                                 AND l.number = i.number AND l.adjustment_id = a.adjustment_id)), 0)
           AS left_micros,
       i.crawler_id,
       EXISTS (SELECT FROM invoice_event e
                WHERE e.site_id = i.site_id AND e.number = i.number AND e.event = 'sent')
           AS sent, i.total_minor, s.applied_minor,
       (SELECT a.amount_micros FROM adjustment a
         WHERE a.site_id = i.site_id AND a.number = i.number AND a.kind = 'void') AS void_micros,
       EXISTS (SELECT FROM adjustment a
                WHERE a.site_id = i.site_id AND a.number = i.number AND a.kind = 'reissue') AS reissued
  FROM invoice i JOIN invoice_state s USING (site_id, number)
 WHERE i.site_id = $1::bigint AND i.number = $2::text
