CREATE OR REPLACE FUNCTION refuse_sealed_delivery() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- An older snapshot would not see the newest seal.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'deliveries are recorded in transactions that are READ COMMITTED'
            USING ERRCODE = 'invalid_transaction_state';
    END IF;
    IF EXISTS (SELECT FROM (SELECT DISTINCT site_id FROM added) AS s,
                    LATERAL (SELECT end_id FROM day_seal d WHERE d.site_id = s.site_id
                              ORDER BY end_id DESC LIMIT 1) AS sealed
                WHERE EXISTS (SELECT FROM added a
                               WHERE a.site_id = s.site_id AND a.payment_id < sealed.end_id)) THEN
        RAISE EXCEPTION 'a delivery is of a day that its site has sealed'
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION refuse_sealed_delivery IS 'Trigger of delivery: refuses a payment of a day that its site
has sealed. Once for a batch, since no crawl shall cost more for it.';
