-- One batch of ids that are new, sorted so that two writers cannot deadlock: all of them or, if one is there
-- already (23505), none; charge_insert_absent is for the rest. It costs two thirds of that one: no row is
-- looked for before it is written, none comes back, and the caller has summed up what the batch with number
-- $13 of writer $12 spends. $1 is the clock, which instant() would compute with a plan of its own each time.
-- unnest() stands where it needs no table of its results.
WITH spent AS (
    INSERT INTO spend (writer_id, sequence, site_id, crawler_id, quarter, entries, amount_micros)
    SELECT $12::uuid, $13::bigint, unnest($14::bigint[]), unnest($15::bigint[]), unnest($16::bigint[]),
           unnest($17::bigint[]), unnest($18::bigint[])
)
INSERT INTO charge (payment_id, lane, site_id, crawler_id, amount_micros, rule, resource, recorded_at,
                    thumbprint, signature, signature_base, agreement_id)
SELECT e.payment_id, get_byte(uuid_send(e.payment_id), 15)::smallint, e.site_id, e.crawler_id,
       e.amount_micros, e.rule, e.resource,
       (SELECT timestamptz '1970-01-01 00:00:00+00' + $1::bigint * interval '1 millisecond'),
       e.thumbprint, e.signature, e.signature_base, nullif(e.agreement_id, 0)
  FROM (SELECT unnest($2::uuid[]) AS payment_id, unnest($3::bigint[]) AS site_id,
               unnest($4::bigint[]) AS crawler_id, unnest($5::bigint[]) AS amount_micros,
               unnest($6::text[]) AS rule, unnest($7::text[]) AS resource, unnest($8::bytea[]) AS thumbprint,
               unnest($9::bytea[]) AS signature, unnest($10::bytea[]) AS signature_base,
               unnest($11::bigint[]) AS agreement_id) AS e
