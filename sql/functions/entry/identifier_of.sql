CREATE OR REPLACE FUNCTION identifier_of(of_claim uuid) RETURNS SETOF payment_identifier
    LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1 SET plan_cache_mode = force_custom_plan AS $$
BEGIN
    RETURN QUERY SELECT * FROM payment_identifier WHERE claim = of_claim;
END
$$;
COMMENT ON FUNCTION identifier_of IS 'What a payer''s identifier is bound to: planned as charge_of.';
