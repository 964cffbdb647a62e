-- A night of many crawlers looked for the newest step of a site's balances once for each of them, and walked
-- through the rows that it was just adding: its time grew with their square.
-- Gates since 46 go on.

CREATE OR REPLACE FUNCTION change_balances(site_ids bigint[], crawler_ids bigint[], changes bigint[])
    RETURNS void
    LANGUAGE plpgsql STRICT SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    -- One change of a site after the other: the next one waits for the commit, and then sees its rows.
    PERFORM FROM site WHERE site_id = ANY (site_ids) ORDER BY site_id FOR NO KEY UPDATE;
    WITH change AS (
        SELECT c.site_id, account.crawler_id, sum(c.micros)::bigint AS micros
          FROM unnest(site_ids, crawler_ids, changes) AS c (site_id, crawler_id, micros)
          JOIN crawler k USING (crawler_id)
          JOIN crawler account ON account.agent = crawler_account(k.agent)
         GROUP BY c.site_id, account.crawler_id
    ), place AS MATERIALIZED (
        -- Once a site, and before the first row is added: a search for the newest step begins with those of
        -- this statement, which it does not see.
        SELECT s.site_id,
               1 + coalesce((SELECT b.step FROM account_balance b WHERE b.site_id = s.site_id
                              ORDER BY b.step DESC LIMIT 1), 0) AS step,
               coalesce((SELECT d.ends_at FROM counted_day(s.site_id) d), instant(0)) AS counted_to
          FROM (SELECT DISTINCT site_id FROM change) AS s
    )
    INSERT INTO account_balance (site_id, step, crawler_id, owed_micros, counted_to)
    SELECT p.site_id, p.step, c.crawler_id,
           c.micros + CASE WHEN (last.site_id, last.crawler_id) = (c.site_id, c.crawler_id)
                           THEN last.owed_micros ELSE 0 END, p.counted_to
      FROM place p JOIN change c USING (site_id)
      -- In an order that only account_balance_last has: by that of the steps alone, which is the key's, the
      -- changes of all others would be walked through for each crawler.
      LEFT JOIN LATERAL (
               SELECT b.site_id, b.crawler_id, b.owed_micros FROM account_balance b
                WHERE (b.site_id, b.crawler_id) <= (c.site_id, c.crawler_id)
                ORDER BY b.site_id DESC, b.crawler_id DESC, b.step DESC LIMIT 1) AS last ON true;
END
$$;
COMMENT ON FUNCTION change_balances IS 'Adds changes to the balances of crawlers'' present accounts, as the
next step of each site. Nothing where there are none.';
