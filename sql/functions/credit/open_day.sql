CREATE OR REPLACE FUNCTION open_day(of_site bigint) RETURNS SETOF day
    LANGUAGE sql STABLE AS $$
    SELECT d.* FROM day d
     WHERE d.site_id = of_site
       AND d.local_date > coalesce((SELECT c.local_date FROM counted_day(of_site) c), '-infinity')
     ORDER BY d.local_date LIMIT 1
$$;
COMMENT ON FUNCTION open_day IS 'The first day of a site whose spending is not in the balances.';
