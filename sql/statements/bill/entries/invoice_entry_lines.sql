-- The lines of invoice or credit note $2 of site $1, and what an adjustment's is about; the payment's entry
-- may be archived.
-- columns: line integer, kind text, description text, quantity bigint, unit_price_micros bigint,
--   amount_micros bigint, adjustment_id uuid null, payment_id uuid null, reason text null, actor text null,
--   offered_ms bigint null, resource text null, rule text null, price_micros bigint null,
--   dispute_id uuid null
SELECT l.line, l.kind, l.description, l.quantity, l.unit_price_micros, l.amount_micros, l.adjustment_id,
       a.payment_id, a.reason, a.actor, instant_ms(uuid_instant(a.payment_id)) AS offered_ms, c.resource,
       c.rule, c.amount_micros AS price_micros, f.dispute_id
  FROM invoice_line l LEFT JOIN adjustment a USING (adjustment_id)
  LEFT JOIN LATERAL charge_of(a.payment_id) c ON true
  LEFT JOIN dispute_finding f ON f.adjustment_id = l.adjustment_id
 WHERE l.site_id = $1::bigint AND l.number = $2::text ORDER BY l.line
