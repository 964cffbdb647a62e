CREATE OR REPLACE FUNCTION paid_ids(of_site bigint, of_crawler bigint, from_id uuid, to_id uuid)
    RETURNS SETOF uuid
    LANGUAGE plpgsql STABLE PARALLEL SAFE SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT c.payment_id FROM billable_range(from_id, to_id) c
                  WHERE c.site_id = of_site AND c.crawler_id = of_crawler AND c.amount_micros > 0;
END
$$;
COMMENT ON FUNCTION paid_ids IS 'The ids from from_id to before to_id of a crawler''s entries that are billed
and cost something: planned as charge_of.';
