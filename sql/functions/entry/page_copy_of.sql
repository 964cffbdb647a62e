CREATE OR REPLACE FUNCTION page_copy_of(of_payment uuid) RETURNS SETOF page_copy
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM page_copy WHERE payment_id = of_payment;
END
$$;
COMMENT ON FUNCTION page_copy_of IS 'Which copies of pages a payment is for: planned as charge_of.';
