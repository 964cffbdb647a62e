-- How the billing day of site $1 that holds id $2 stands: whether it is closed, whether a checkpoint was made
-- for it, and whether some of its entries are archived. No row: the ledger has no such day.
-- columns: local_date date, closed boolean, has_checkpoint boolean, archived boolean
SELECT d.local_date,
       EXISTS (SELECT FROM day_close c WHERE c.site_id = d.site_id AND c.local_date = d.local_date) AS closed,
       EXISTS (SELECT FROM checkpoint c WHERE c.site_id = d.site_id AND c.local_date = d.local_date)
           AS has_checkpoint,
       EXISTS (SELECT FROM archived a
                WHERE d.starts_at < (a.utc_date + 1)::timestamp AT TIME ZONE 'UTC'
                  AND d.ends_at > a.utc_date::timestamp AT TIME ZONE 'UTC') AS archived
  FROM day d
 WHERE d.site_id = $1::bigint AND d.starts_at <= uuid_instant($2::uuid) AND d.ends_at > uuid_instant($2::uuid)
