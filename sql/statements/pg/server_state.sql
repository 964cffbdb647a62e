-- Whether this server keeps what it has committed, and who follows it. Lags of standbys are seen by members
-- of pg_read_all_stats alone; how far slots are behind, by everybody. "slot" is one that nobody reads.
-- columns: version text, standby boolean, durable boolean, waits boolean, standbys bigint,
--   lag_ms bigint null, slot text null, behind_bytes bigint null
SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS standby,
       current_setting('fsync')::boolean AND current_setting('full_page_writes')::boolean AS durable,
       current_setting('synchronous_standby_names') <> '' AS waits,
       (SELECT count(*) FROM pg_stat_replication) AS standbys,
       (SELECT (1000 * extract(epoch FROM max(replay_lag)))::bigint FROM pg_stat_replication) AS lag_ms,
       (SELECT min(slot_name::text) FROM pg_replication_slots WHERE NOT active) AS slot,
       CASE WHEN NOT pg_is_in_recovery()
            THEN (SELECT max(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn))::bigint
                    FROM pg_replication_slots WHERE active) END AS behind_bytes
