-- How the ledger of each site is at clock $2: the last night and checkpoint, and what waits. $1 is not
-- used.
-- columns of console_row: row jsonb, cursor text
SELECT jsonb_build_object(
           'site', s.name, 'last_night', c.local_date,
           'closed_at', instant_text(coalesce(c.made_at, c.due_at)),
           'days_open', (SELECT count(*) FROM day d
                          WHERE d.site_id = s.site_id AND d.ends_at <= instant($2::bigint)
                            AND d.local_date > coalesce(c.local_date, '-infinity')),
           'log_size', p.log_size,
           'failing_messages', (SELECT count(*) FROM outbox o
                                 WHERE o.site_id = s.site_id
                                   AND o.made_at > instant($2::bigint) - interval '3 days'
                                   AND NOT EXISTS (SELECT FROM outbox_attempt t
                                                    WHERE t.message_id = o.message_id
                                                      AND t.status BETWEEN 200 AND 299)),
           'open_disputes', (SELECT count(*) FROM dispute d
                              WHERE d.site_id = s.site_id
                                AND NOT EXISTS (SELECT FROM dispute_event e
                                                 WHERE e.dispute_id = d.dispute_id
                                                   AND e.event IN ('upheld', 'part_upheld',
                                                                   'rejected')))) AS row,
       s.name AS cursor
  FROM site s
  LEFT JOIN LATERAL (SELECT * FROM day_close c WHERE c.site_id = s.site_id
                      ORDER BY close_number DESC LIMIT 1) AS c ON true
  LEFT JOIN LATERAL (SELECT * FROM checkpoint p WHERE p.site_id = s.site_id
                      ORDER BY log_size DESC LIMIT 1) AS p ON true
 WHERE $1::jsonb IS NOT NULL
 ORDER BY s.name
