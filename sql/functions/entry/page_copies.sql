CREATE OR REPLACE FUNCTION page_copies(of_crawler bigint, of_copy bytea, from_id uuid, to_id uuid)
    RETURNS SETOF page_copy
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM page_copy
                  WHERE crawler_id = of_crawler AND copy = of_copy AND repeats IS NULL AND whole
                    AND payment_id >= from_id AND payment_id < to_id;
END
$$;
COMMENT ON FUNCTION page_copies IS 'The payments of a crawler for one copy of a page with ids from from_id to
before to_id, which repeat none and came whole: planned as charge_of.';
