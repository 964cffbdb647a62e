-- As charge_insert, for a batch some of whose ids may be there: these do not come back, and are read with
-- charge_compare, in a statement of its own because this one's snapshot is older. What was inserted, and
-- nothing else, is summed up as the batch with number $13 of writer $12, so that a batch that is sent again
-- counts once.
-- columns: payment_id uuid
WITH made AS (
    INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource, recorded_at,
                        thumbprint, signature, signature_base, agreement_id)
    SELECT e.payment_id, get_byte(uuid_send(e.payment_id), 15)::smallint, e.site_id, e.crawler_id,
           e.amount_micros, e.rule, e.resource, (SELECT instant($1::bigint)), e.thumbprint, e.signature,
           e.signature_base, nullif(e.agreement_id, 0)
      FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::bytea[],
                  $9::bytea[], $10::bytea[], $11::bigint[])
           AS e (payment_id, site_id, crawler_id, amount_micros, rule, resource, thumbprint, signature,
               signature_base, agreement_id)
    ON CONFLICT DO NOTHING
    RETURNING payment_id, site_id, crawler_id, amount_micros
), spent AS (
    INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
    SELECT $12::uuid, $13::bigint, site_id, crawler_id, uuid_quarter(payment_id), count(*),
           sum(amount_micros)::bigint
      FROM made GROUP BY site_id, crawler_id, uuid_quarter(payment_id)
)
SELECT payment_id FROM made
