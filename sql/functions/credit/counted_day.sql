CREATE OR REPLACE FUNCTION counted_day(of_site bigint) RETURNS SETOF day
    LANGUAGE sql STABLE AS $$
    SELECT d.* FROM day d
     WHERE d.site_id = of_site
       AND d.local_date = greatest((SELECT c.local_date FROM day_close c WHERE c.site_id = of_site
                                     ORDER BY c.local_date DESC LIMIT 1),
                                   (SELECT a.local_date FROM day_accrual a WHERE a.site_id = of_site
                                     ORDER BY a.local_date DESC LIMIT 1))
$$;
COMMENT ON FUNCTION counted_day IS 'The last day of a site whose spending is in the balances. Days are closed
and accrued in their order, so all before it are counted too.';
