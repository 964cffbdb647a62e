-- The newest checkpoint of each site that $1 asks for, and who signs them. $2 is not used.
-- columns of console_row: row jsonb, cursor text
SELECT jsonb_build_object('site', s.name, 'date', c.local_date, 'log_size', c.log_size,
                          'log_root', encode(c.log_root, 'hex'), 'key', c.verifier_key,
                          'note', c.note) AS row,
       s.name AS cursor
  FROM site s
 CROSS JOIN LATERAL (SELECT * FROM checkpoint c WHERE c.site_id = s.site_id
                      ORDER BY c.log_size DESC LIMIT 1) AS c
 WHERE ($1::jsonb ->> 'site' IS NULL OR s.name = $1::jsonb ->> 'site') AND $2::bigint IS NOT NULL
 ORDER BY s.name
