-- What a night compares its clock with: this server's, the newest entry's id (NULL: none), and how far the
-- slowest gate that has reported in the last hours is behind this server. Gates report every hour. A report
-- of a time to come is none: it would be the newest for ever. More than a year behind is a year.
-- columns: database_ms bigint, newest_ms bigint null, behind_ms bigint
SELECT instant_ms(clock_timestamp()) AS database_ms,
       (SELECT instant_ms(uuid_instant(payment_id)) FROM charge ORDER BY payment_id DESC LIMIT 1)
           AS newest_ms,
       (SELECT greatest(0, -min(ahead_ms))
          FROM (SELECT DISTINCT ON (writer_id) greatest(ahead_ms, -31536000000) AS ahead_ms
                  FROM gate_clock
                 WHERE reported_at BETWEEN clock_timestamp() - interval '130 minutes' AND clock_timestamp()
                 ORDER BY writer_id, reported_at DESC) newest) AS behind_ms
