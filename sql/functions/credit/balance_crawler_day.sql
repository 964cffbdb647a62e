CREATE OR REPLACE FUNCTION balance_crawler_day() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    PERFORM change_balances(array_agg(site_id), array_agg(crawler_id), array_agg(micros))
       FROM (SELECT site_id, crawler_id, sum(m.carried_out_micros - m.carried_in_micros)::bigint AS micros
               FROM made m JOIN day_close c USING (site_id, local_date)
              GROUP BY site_id, crawler_id) AS change;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION balance_crawler_day IS 'Trigger of crawler_day: what is carried, in a day that is closed
already.';
