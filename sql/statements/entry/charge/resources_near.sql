-- URLs that were paid for at site $1 with ids from $2 to $3, of so many entries at the most.
-- columns: resource text
SELECT DISTINCT resource
  FROM (SELECT resource FROM charge
         WHERE site_id = $1::bigint AND payment_id BETWEEN $2::uuid AND $3::uuid LIMIT 100000) AS around
