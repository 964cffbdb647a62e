CREATE OR REPLACE FUNCTION delivery_of(of_payment uuid) RETURNS SETOF delivery
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM delivery WHERE payment_id = of_payment;
END
$$;
COMMENT ON FUNCTION delivery_of IS 'What was delivered for a payment, once or twice: planned as charge_of.';
