CREATE OR REPLACE FUNCTION balance_day_close() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- Before anything is added up: an accrual of the day is then either seen, or not made any more.
    PERFORM FROM site WHERE site_id IN (SELECT site_id FROM made) ORDER BY site_id FOR NO KEY UPDATE;
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT site_id, crawler_id, sum(micros)::bigint AS micros
               FROM (SELECT t.site_id, t.crawler_id, t.carried_out_micros - t.carried_in_micros AS micros
                       FROM made JOIN crawler_day t USING (site_id, local_date)
                     UNION ALL
                     SELECT i.site_id, i.crawler_id, CASE i.kind WHEN 'invoice' THEN 1 ELSE -1 END
                            * i.total_minor * minor_micros(i.currency_decimals)
                       FROM made JOIN invoice i USING (site_id, local_date)
                     UNION ALL
                     SELECT a.site_id, a.crawler_id, -a.amount_micros
                       FROM made JOIN crawler_accrual a USING (site_id, local_date)) AS part
              GROUP BY site_id, crawler_id) AS change;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION balance_day_close IS 'Trigger of day_close: adds what the day''s accounts and invoices
changed, and takes back what was accrued for it.';
