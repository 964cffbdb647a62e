CREATE OR REPLACE FUNCTION balance_invoice() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT site_id, crawler_id, sum(CASE m.kind WHEN 'invoice' THEN 1 ELSE -1 END
                        * m.total_minor * minor_micros(m.currency_decimals))::bigint AS micros
               FROM made m JOIN day_close c USING (site_id, local_date)
              GROUP BY site_id, crawler_id) AS change;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION balance_invoice IS 'Trigger of invoice: invoices and credit notes of a day that is closed
already.';
