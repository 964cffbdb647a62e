-- Up to where one look goes that begins above id $1 and ends before $2: so many entries, whoever's they are.
-- It is the beginning of a millisecond, so that it says nothing of whose id is there, and never where it
-- began.
-- columns: end_id uuid
SELECT coalesce((SELECT CASE WHEN uuid_floor(uuid_instant(c.payment_id)) > $1::uuid
                             THEN uuid_floor(uuid_instant(c.payment_id))
                             ELSE least($2::uuid, uuid_floor(uuid_instant(c.payment_id)
                                                             + interval '1 millisecond')) END
                   FROM charge c WHERE c.payment_id > $1::uuid AND c.payment_id < $2::uuid
                  ORDER BY c.payment_id OFFSET 50000 LIMIT 1), $2::uuid) AS end_id
