CREATE OR REPLACE FUNCTION paid_crawls(of_site bigint, of_date date, of_crawler bigint) RETURNS bigint
    LANGUAGE sql STABLE AS $$
    SELECT coalesce(sum(l.quantity), 0)::bigint FROM crawler_day_line l
     WHERE l.site_id = of_site AND l.local_date = of_date AND l.crawler_id = of_crawler AND l.kind = 'crawls'
       AND l.unit_price_micros > 0
$$;
COMMENT ON FUNCTION paid_crawls IS 'How many crawls of a crawler''s day cost something: those that included
crawls and tiers count. What was free uses up none, and brings nobody nearer to a discount.';
