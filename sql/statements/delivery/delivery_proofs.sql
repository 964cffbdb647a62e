-- What was delivered for payment $1, byte for byte what its day's tile is made of, that tile and its number
-- among those of the day; after session_plain. A row that is no longer what was sealed comes with the tile
-- where it would be.
-- columns: line text, tile bytea, number bigint
SELECT jsonb_strip_nulls(to_jsonb(d))::text AS line, t.deliveries AS tile,
       (SELECT count(*) FROM delivery_tile n WHERE n.site_id = d.site_id AND n.first_id >= b.first_id
           AND n.first_id < t.first_id
           AND n.first_id >= uuid_floor(uuid_instant($1::uuid) - interval '3 days')
           AND n.first_id <= $1::uuid) AS number
  FROM delivery d
  JOIN day y ON y.site_id = d.site_id AND y.starts_at <= uuid_instant(d.payment_id)
   AND y.ends_at > uuid_instant(d.payment_id)
 CROSS JOIN LATERAL billing_day(d.site_id, y.local_date) AS b
 CROSS JOIN LATERAL (
       SELECT near.* FROM (
              SELECT n.first_id, n.deliveries FROM delivery_tile n
               WHERE n.site_id = d.site_id AND n.first_id >= b.first_id AND n.first_id <= d.payment_id
                 AND n.first_id >= uuid_floor(uuid_instant($1::uuid) - interval '3 days')
                 AND n.first_id <= $1::uuid
               ORDER BY n.first_id DESC LIMIT 2) AS near
        ORDER BY position(uuid_send(d.payment_id) || delivery_digest(to_jsonb(d))
                          IN near.deliveries) > 0 DESC, near.first_id DESC LIMIT 1) AS t
 WHERE d.payment_id = $1::uuid ORDER BY d.repeated
