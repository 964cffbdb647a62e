-- The stored side of ids that charge_insert did not insert; final_micros is what is billed of it. An entry
-- that is seen here is durable on this server, but after a crash perhaps not yet on its synchronous standby.
-- So where there is one, the read leaves a mark in the log: its commit then waits until the standby has
-- everything before it. (A transaction that only takes an id does not wait.)
-- columns: payment_id uuid, site_id bigint, crawler_id bigint, amount_micros bigint, resource text,
--   recorded_ms bigint, undelivered boolean, final_micros bigint, mark text
SELECT payment_id, c.site_id, crawler_id, amount_micros, resource, instant_ms(c.recorded_at) AS recorded_ms,
       u.payment_id IS NOT NULL AND u.final_micros IS NULL AS undelivered,
       coalesce(u.final_micros, c.amount_micros) AS final_micros,
       CASE WHEN current_setting('synchronous_standby_names') <> ''
            THEN pg_logical_emit_message(true, 'crawltab', '') END::text AS mark
  FROM unnest($1::uuid[]) AS e (id) CROSS JOIN LATERAL charge_of(e.id) c
  LEFT JOIN undelivered u USING (payment_id)
