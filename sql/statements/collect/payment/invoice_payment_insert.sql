-- $6: the date, or NULL for the site's today at $5. No row comes back when the reference is there already.
-- columns: amount_minor bigint
INSERT INTO invoice_payment (site_id, number, reference, amount_minor, received_on, recorded_at, actor,
                             identity)
SELECT i.site_id, i.number, $3::text, $4::bigint,
       coalesce($6::date, (instant($5::bigint) AT TIME ZONE i.time_zone)::date), instant($5::bigint),
       $7::text, $8::text
  FROM invoice i WHERE i.site_id = $1::bigint AND i.number = $2::text
ON CONFLICT DO NOTHING RETURNING amount_minor
