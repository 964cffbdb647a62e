CREATE OR REPLACE FUNCTION crawls_of_line(of_site bigint, of_crawler bigint, of_rule text, of_price bigint,
                                          from_id uuid, to_id uuid, after_id uuid)
    RETURNS SETOF charge
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT c.* FROM billable_range(greatest(from_id, after_id), to_id) c
                  WHERE c.site_id = of_site AND c.crawler_id = of_crawler AND c.rule = of_rule
                    AND c.amount_micros = of_price AND c.payment_id > after_id
                  ORDER BY c.payment_id LIMIT 500;
END
$$;
COMMENT ON FUNCTION crawls_of_line IS 'The next 500 entries at most, with ids from from_id to before to_id and
after after_id, that a line of an invoice bills: planned as charge_of.';
