CREATE OR REPLACE FUNCTION balance_invoice_payment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT i.site_id, i.crawler_id,
                    -sum(m.amount_minor * minor_micros(i.currency_decimals))::bigint AS micros
               FROM made m JOIN invoice i USING (site_id, number)
              GROUP BY i.site_id, i.crawler_id) AS change;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION balance_invoice_payment IS 'Trigger of invoice_payment: what was paid is owed no more, and
what was paid back is.';
