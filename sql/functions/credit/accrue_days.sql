CREATE OR REPLACE FUNCTION accrue_days(over_at_ms bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    -- A gate whose clock is ahead would accrue days that go on.
    over_at timestamptz := least(instant(over_at_ms), now() - interval '3 hours');
    oldest timestamptz;
    sites bigint[];
    dates date[];
    first_quarter bigint;
    end_quarter bigint;
BEGIN
    SELECT min(d.starts_at) INTO oldest FROM site s CROSS JOIN LATERAL open_day(s.site_id) d
     WHERE d.ends_at <= over_at;
    IF oldest IS NULL THEN
        RETURN 0;
    END IF;
    -- A site that a night is closing needs no accrual.
    sites := ARRAY(SELECT s.site_id FROM site s
                    WHERE EXISTS (SELECT FROM open_day(s.site_id) d WHERE d.ends_at <= over_at
                                     AND d.starts_at < oldest + interval '1 day')
                    ORDER BY s.site_id FOR NO KEY UPDATE SKIP LOCKED);
    -- Looked at again, now that nobody else can count a day of them.
    SELECT array_agg(d.site_id), array_agg(d.local_date), instant_ms(min(d.starts_at)) / quarter_ms(),
           instant_ms(max(d.ends_at)) / quarter_ms()
      INTO sites, dates, first_quarter, end_quarter
      FROM unnest(sites) AS s (site_id) CROSS JOIN LATERAL open_day(s.site_id) d
     WHERE d.ends_at <= over_at AND d.starts_at < oldest + interval '1 day';
    INSERT INTO day_accrual (site_id, local_date, accrued_at)
    SELECT site_id, local_date, over_at FROM unnest(sites, dates) AS d (site_id, local_date);
    -- One pass over the spending of all sites on that date.
    INSERT INTO crawler_accrual (site_id, local_date, crawler_id, amount_micros)
    SELECT d.site_id, d.local_date, s.crawler_id, sum(s.amount_micros)::bigint
      FROM unnest(sites, dates) AS due (site_id, local_date)
      JOIN day d USING (site_id, local_date)
      JOIN spend s ON s.site_id = d.site_id AND s.quarter >= instant_ms(d.starts_at) / quarter_ms()
       AND s.quarter < instant_ms(d.ends_at) / quarter_ms()
     WHERE s.quarter >= first_quarter AND s.quarter < end_quarter
     GROUP BY d.site_id, d.local_date, s.crawler_id;
    PERFORM change_balances(array_agg(a.site_id), array_agg(a.crawler_id), array_agg(a.amount_micros))
       FROM unnest(sites, dates) AS due (site_id, local_date)
       JOIN crawler_accrual a USING (site_id, local_date);
    RETURN coalesce(cardinality(sites), 0);
END
$$;
COMMENT ON FUNCTION accrue_days IS 'Accrues the oldest days that were over at an instant and are neither
closed nor accrued, one of a site at most, those of about one date in a call; returns how many. Called again
until there is none. The instant must be so long ago that no entry of a day that was over then can arrive any
more.';
